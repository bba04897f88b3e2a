"""The colours of everything that shows a plan: workbooks, charts, sheets made inside Excel.

The palette keeps apart for colour-blind readers and in print: what a colour says is
always said in words too.
"""

INK = "1F2933"
QUIET = "667085"
INPUT_INK = "1D4ED8"
INPUT_GROUND = "FFF8DB"
HEADING_GROUND = "E6ECF5"
ACCENT = "0B3C5D"
RULE = "CBD2D9"
STEP_GROUND = "F3F4F6"
ERROR_GROUND = "F9D6CF"
WARNING_GROUND = "FCE9C4"
INFO_GROUND = "DCEBF7"

BAND_GROUNDS = ("EDF4FA", "CFE3F3", "9DC6E6", "0B3C5D")
"""Grounds of the bands from low to extreme: one hue, so that darker is more for every reader."""

BLACK, ORANGE, SKY, GREEN, YELLOW, BLUE, VERMILION, PURPLE = (
    "000000",
    "E69F00",
    "56B4E9",
    "009E73",
    "F0E442",
    "0072B2",
    "D55E00",
    "CC79A7",
)
"""The palette of Okabe and Ito, which colour-blind readers tell apart."""

REST = "D5DBE1"
"""What is left over in a chart."""

MEMORY_COLOURS = (BLUE, ORANGE, VERMILION, SKY, REST)
"""Weights, KV cache, activation, runtime, unused: neighbours stay apart in grey."""
