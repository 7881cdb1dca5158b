"""The page of use cases, and the document of one."""

import uuid

from playwright.sync_api import Page, expect

from tests.browser.conftest import Watched
from tests.end_to_end.http import Gateway


def test_a_use_case_is_made_renamed_archived_and_taken_back(watched: Watched) -> None:
    page = watched.page
    page.goto(f"{watched.url}/dashboard/use-cases")
    name, later = f"Welds {uuid.uuid4().hex[:6]}", f"Seams {uuid.uuid4().hex[:6]}"
    page.get_by_role("button", name="New use case").click()
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_role("button", name="Create").click()
    page.wait_for_url("**/use-case/*")
    expect(page.get_by_label("Document, YAML")).to_have_value(f"id: {page.url.rsplit('/')[-1]}\nname: {name}\n")
    page.get_by_role("link", name="Use cases").click()

    page.get_by_label(f"More about {name}").click()
    page.get_by_role("button", name="Rename").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("Defect Detection")
    with page.expect_response(lambda answer: answer.status == 409):
        dialog.get_by_role("button", name="Rename").click()
    expect(dialog.get_by_role("alert")).to_contain_text("already called")
    watched.wrong.clear()  # the browser itself notes the 409
    dialog.get_by_label("Name").fill(later)
    dialog.get_by_role("button", name="Rename").click()
    expect(page.get_by_role("link", name=later)).to_be_visible()

    page.get_by_label(f"More about {later}").click()
    page.get_by_role("button", name="Archive").click()
    page.get_by_role("dialog").get_by_role("button", name="Archive").click()
    expect(page.get_by_role("link", name=later)).to_have_count(0)
    page.get_by_role("link", name="Show archived").click()
    card = page.get_by_role("article").filter(has_text=later)
    expect(card).to_contain_text("archived")
    card.get_by_label(f"More about {later}").click()
    card.get_by_role("button", name="Take events again").click()
    page.get_by_role("dialog").get_by_role("button", name="Take events again").click()
    expect(card).not_to_contain_text("archived")


def test_faults_of_a_document_stand_beside_their_lines(page: Page, gateway: Gateway) -> None:
    page.goto(f"{gateway.url}/dashboard/use-case/ppe-compliance")
    text = page.get_by_label("Document, YAML")
    expect(text).not_to_have_value("")
    good = text.input_value()
    lines = good.replace("event_type: safety_alert", "event_type: safety_alrt").splitlines()
    text.fill("\n".join(["id: another", *lines[1:]]))
    wrong = lines.index("event_type: safety_alrt") + 1
    expect(page.get_by_role("button", name=f"Line {wrong} event_type")).to_contain_text("'safety_alert'")
    expect(page.get_by_role("button", name="Line 1 id")).to_contain_text("cannot be changed")
    expect(page.get_by_role("button", name="Save")).to_be_disabled()
    text.fill(good + "  - oops")
    expect(page.get_by_role("button", name="Line ")).to_have_count(1)
    text.fill(good + "retention_days: 21\n")
    expect(page.get_by_text("Changed, and valid")).to_be_visible()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Stored.")).to_be_visible()
    text.fill(good)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("button", name="Save")).to_be_disabled()
