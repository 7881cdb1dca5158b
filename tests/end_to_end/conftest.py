import os
from pathlib import Path
import pytest
from tests.end_to_end.system import System
from pipeline.cli.use_cases import shipped_use_cases
@pytest.fixture(scope="session")
def system(tmp_path_factory):
    folder=tmp_path_factory.mktemp("system")
    s=System({k:v for k,v in os.environ.items() if k.startswith("VISION_EVENTS_")},folder)
    s.apply(*shipped_use_cases())
    return s
