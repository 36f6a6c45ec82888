"""Draws sample.png: three lines of text and numbers, the third a little tilted.

    pip install Pillow==12.0.0
    python tools/make-sample.py [path of DejaVuSans.ttf]
"""

import sys
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

FONT = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"
SIZE = (640, 250)
LINES = [
    # text, font size, top, degrees anticlockwise
    ("Invoice 2048 for Ada Lovelace", 34, 18, 0),
    ("Total: 1,307.50 EUR", 28, 88, 0),
    ("Due on 15 March 2027", 30, 150, 5),
]
LEFT = 40
PAPER = (250, 248, 240)
INK = (30, 32, 60)


def main() -> None:
    font_path = sys.argv[1] if len(sys.argv) > 1 else FONT
    picture = Image.new("RGB", SIZE, PAPER)
    for text, size, top, degrees in LINES:
        font = ImageFont.truetype(font_path, size)
        _, _, width, height = font.getbbox(text)
        ink = Image.new("L", (width, height), 0)
        ImageDraw.Draw(ink).text((0, 0), text, font=font, fill=255)
        ink = ink.rotate(degrees, resample=Image.Resampling.BICUBIC, expand=True)
        picture.paste(INK, (LEFT, top), ink)
    picture.save(Path(__file__).resolve().parent.parent / "sample.png", optimize=True)


if __name__ == "__main__":
    main()
