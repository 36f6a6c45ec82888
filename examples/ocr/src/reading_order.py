"""From words anywhere in a picture to lines: from top to bottom, each from left to right.

A word has `text`, `confidence` and `box` (`left`, `top`, `width`, `height`); a line is a dict of the same.
"""

# Words are on one line when their middles differ by less than this share of the lowest box's height.
SAME_LINE = 0.5


def join_lines(words):
    rows = []
    for word in sorted(words, key=lambda word: _middle(word.box)):
        # The words come from top to bottom, so that only the last row can be this word's.
        if rows and _is_on_line(rows[-1], word):
            rows[-1].append(word)
        else:
            rows.append([word])
    return [_join(sorted(row, key=lambda word: word.box.left)) for row in rows]


def _is_on_line(row, word):
    middle = sum(_middle(other.box) for other in row) / len(row)
    height = min(other.box.height for other in [*row, word])
    return abs(_middle(word.box) - middle) < SAME_LINE * height


def _middle(box):
    return box.top + box.height / 2


def _join(row):
    return {
        "text": " ".join(word.text for word in row),
        "confidence": min(word.confidence for word in row),
        "box": _around([word.box for word in row]),
    }


def _around(boxes):
    left = min(box.left for box in boxes)
    top = min(box.top for box in boxes)
    right = max(box.left + box.width for box in boxes)
    bottom = max(box.top + box.height for box in boxes)
    return {"left": left, "top": top, "width": right - left, "height": bottom - top}
