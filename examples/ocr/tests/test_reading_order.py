"""Run by `python3 -m unittest discover examples/ocr/tests`; needs nothing but Python."""

import sys
import unittest
from pathlib import Path
from types import SimpleNamespace

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "src"))

from reading_order import join_lines  # noqa: E402: the path comes first


def word(text, left, top, width=40, height=20, confidence=0.9):
    box = SimpleNamespace(left=left, top=top, width=width, height=height)
    return SimpleNamespace(text=text, confidence=confidence, box=box)


def texts(words):
    return [line["text"] for line in join_lines(words)]


class ReadingOrder(unittest.TestCase):
    def test_no_words_are_no_lines(self):
        self.assertEqual(join_lines([]), [])

    def test_words_of_one_height_are_read_from_left_to_right(self):
        self.assertEqual(texts([word("world", 100, 3), word("hello", 0, 0)]), ["hello world"])

    def test_lines_are_read_from_top_to_bottom(self):
        self.assertEqual(texts([word("two", 0, 25), word("one", 50, 0)]), ["one", "two"])

    def test_small_words_beside_a_large_one_do_not_join_two_lines(self):
        words = [word("Title", 0, 0, height=60), word("upper", 100, 0), word("lower", 100, 40)]
        self.assertEqual(texts(words), ["upper", "Title", "lower"])

    def test_a_slow_slope_does_not_draw_further_lines_in(self):
        stairs = [word(str(step), 50 * step, 8 * step) for step in range(6)]
        self.assertGreater(len(join_lines(stairs)), 1)

    def test_a_line_is_as_certain_as_its_least_certain_word_and_spans_them_all(self):
        [line] = join_lines([word("a", 10, 5, confidence=0.6), word("b", 60, 2, height=24)])
        self.assertEqual(line["confidence"], 0.6)
        self.assertEqual(line["box"], {"left": 10, "top": 2, "width": 90, "height": 24})


if __name__ == "__main__":
    unittest.main()
