"""Surface inspection: finds scratches, dents and stains as anomalies against the statistics of a clean surface.

A bank of matched filters (bright bars of twelve directions, dark discs of two sizes) runs over the frame. How strongly
each filter answers to the clean surface, mortar joints and stones included, is learnt beforehand; an answer well above
the strongest of these is an anomaly. The shape and the area of the anomalous pixels that hang together say which kind
of defect they are.
"""
# mypy: allow-untyped-calls

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage  # type: ignore[import-untyped]
from skimage.measure import label, regionprops

from pipeline.demo.geometry import Box, Floats, Pixels
from pipeline.demo.scenes.defects import DefectKind
from pipeline.demo.scenes.frame import luminance

REDUCE = 2
"""The filters run on a frame of half the width and height; all lengths below are in its pixels."""
DIRECTIONS = 12
BAR_LENGTH, BAR_SIGMA = 31, 1.0
DISC_SIGMAS = (4.5, 7.5)

ANOMALY = 1.15
"""Least answer that is an anomaly; 1 is the strongest answer to a clean surface."""
_FOOT, _GAP = 0.75, 5
"""An anomaly spreads over pixels above this share of the threshold, across gaps of less than this many pixels."""
_REACH = 0.4
"""Its outline is where the answer falls below this share of its own peak."""
_MARGIN, _BORDER = 16, 8
"""Pixels by which a frame is mirrored outwards for the filters, and pixels within its edge that are not judged."""
_STAIN_AREA, _SCRATCH_ECCENTRICITY = 560, 0.94
"""What is longer than this eccentricity is a scratch; of the rest, what is larger than this area is a stain."""

Spectra = NDArray[np.complexfloating[Any, Any]]


class Finding(NamedTuple):
    """A defect that was found."""

    kind: DefectKind
    box: Box
    score: float


class Inspection(NamedTuple):
    """All findings of a frame, and the score of the worst; without any, the strongest answer below the threshold."""

    findings: list[Finding]
    score: float


def confidence(score: float) -> float:
    """Confidence (0..1) that a score means a defect: 0.5 at the threshold, nearing 0 and 1 on either side of it."""
    ratio = score / ANOMALY
    return 1 - 0.5 / ratio**2 if ratio >= 1 else 0.5 * max(ratio, 0.0) ** 4


@dataclass(frozen=True)
class SurfaceModel:
    """What the filters answer to a clean surface: mean and strongest, per filter; discs look for the dark."""

    mean: Floats
    strongest: Floats

    @classmethod
    def learn(cls, clean_frames: Iterable[Pixels]) -> "SurfaceModel":
        """Learn from frames without defects."""
        answers = [_answers(frame) for frame in clean_frames]
        mean = np.mean([answer.mean(axis=(1, 2)) for answer in answers], axis=0)
        strongest = np.max([answer.max(axis=(1, 2)) for answer in answers], axis=0)
        return cls(mean[:, None, None], strongest[:, None, None])

    def inspect(self, frame: Pixels) -> Inspection:
        """Find the defects of a frame."""
        anomaly = (_answers(frame) - self.mean) / (self.strongest - self.mean)
        bars, discs = anomaly[:DIRECTIONS].max(axis=0), anomaly[DIRECTIONS:]
        dark = discs.max(axis=0)
        bars = np.where(ndimage.maximum_filter(dark, 11) < ANOMALY, bars, 0)  # the edge of a stain is no scratch
        findings = [*_components(bars, bars, True), *_components(dark, discs[0], False)]
        strongest = max((finding.score for finding in findings), default=min(float(anomaly.max()), ANOMALY))
        return Inspection(findings, strongest)


def _components(score: Floats, outline: Floats, elongated: bool) -> Iterable[Finding]:
    """Findings from connected anomalous pixels, shaped as `outline` is there; only long ones where `elongated`."""
    regions = label(ndimage.maximum_filter(score, _GAP) > _FOOT * ANOMALY)
    for region in regionprops(regions, intensity_image=score):
        peak = float(region.intensity_max)
        if peak < ANOMALY:
            continue
        within = region.slice
        own = np.where(regions[within] == region.label, outline[within], 0)
        shape = regionprops((own > _REACH * own.max()).astype(np.uint8))[0]
        is_scratch = shape.eccentricity > _SCRATCH_ECCENTRICITY
        if elongated and not is_scratch:
            continue
        kind: DefectKind = "scratch" if is_scratch else "stain" if shape.area > _STAIN_AREA else "dent"
        top, left, bottom, right = shape.bbox + np.tile([within[0].start, within[1].start], 2) + _BORDER
        yield Finding(kind, Box.from_corners(*(float(REDUCE * edge) for edge in (left, top, right, bottom))), peak)


def _answers(frame: Pixels) -> Floats:
    """What each filter answers to each pixel of the frame, its border excepted."""
    flat = _flatten(luminance(frame, REDUCE))
    height, width = flat.shape
    padded = np.pad(flat, _MARGIN, mode="reflect")  # else the left edge would answer to the right one
    bank = _bank(*padded.shape)
    answers: Floats = fft.irfft2(fft.rfft2(padded) * bank, s=padded.shape, axes=(1, 2), overwrite_x=True)
    first = _MARGIN + _BORDER
    return answers[:, first : _MARGIN + height - _BORDER, first : _MARGIN + width - _BORDER]


@cache
def _bank(height: int, width: int) -> Spectra:
    """The spectra of the filters, for frames of one size."""
    y, x = np.mgrid[-(height // 2) : height - height // 2, -(width // 2) : width - width // 2].astype(np.float64)
    kernels = [_bar(x, y, math.pi * direction / DIRECTIONS) for direction in range(DIRECTIONS)]
    for sigma in DISC_SIGMAS:
        disc = np.exp(-(x**2 + y**2) / (2 * sigma**2))
        kernels.append(-disc / disc.sum())
    spectra: Spectra = fft.rfft2(np.fft.ifftshift(np.stack(kernels), axes=(1, 2))).astype(np.complex64)
    return spectra


def _bar(x: Floats, y: Floats, angle: float) -> Floats:
    """A bright bar between darker flanks, of sum zero, so that even brightness gives no answer."""
    along, across = x * math.cos(angle) + y * math.sin(angle), y * math.cos(angle) - x * math.sin(angle)
    window = 1 / (1 + np.exp(2 * (np.abs(along) - BAR_LENGTH / 2)))
    bar = window * np.exp(-(across**2) / (2 * BAR_SIGMA**2))
    flanks = window * np.exp(-(across**2) / (8 * BAR_SIGMA**2))
    kernel: Floats = bar / bar.sum() - flanks / flanks.sum()
    return kernel


def _flatten(grey: Floats, cell: int = 12) -> Floats:
    """The logarithm of the luminance, less a quadratic surface fitted robustly to it: what the light contributes."""
    logarithm = np.log(np.maximum(grey, 4))
    height, width = logarithm.shape
    rows, columns = height // cell, width // cell
    cells = logarithm[: rows * cell, : columns * cell].reshape(rows, cell, columns, cell)
    levels, terms = np.median(cells, axis=(1, 3)).ravel(), _terms(rows, columns).reshape(6, -1)
    weights = np.ones_like(levels)
    for _ in range(3):  # iteratively reweighted least squares: a stain must not bend the surface
        factors = np.linalg.lstsq((terms * weights).T, levels * weights, rcond=None)[0]
        residual = np.abs(levels - factors @ terms)
        weights = 1 / np.sqrt(np.maximum(residual, np.median(residual)))
    flat: Floats = logarithm - np.tensordot(factors, _terms(height, width), 1)
    return flat


@cache
def _terms(rows: int, columns: int) -> Floats:
    y, x = np.meshgrid(
        np.linspace(-1, 1, rows, dtype=np.float32), np.linspace(-1, 1, columns, dtype=np.float32), indexing="ij"
    )
    return np.stack([np.ones_like(x), x, y, x * x, y * y, x * y])
