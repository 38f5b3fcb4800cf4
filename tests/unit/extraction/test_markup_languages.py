from collections.abc import Callable
from datetime import UTC, datetime

from include.errors import BadInput
from include.models import Extracted

Read = Callable[[bytes, str], Extracted]


def headings(document: Extracted) -> list[tuple[int, str]]:
    return [(h.level, document.text[h.start_char : h.end_char]) for h in document.headings]


MARKDOWN = b"""---
title: Leave
date: 2024-05-06
tags: [people, policy]
---
# Parental *leave*

Take [twelve weeks](https://example.org/leave) of `paid` leave.
Ask first. ![a form](form.png)

Exceptions
----------

- one
  - inner
- two

| Kind | Days |
|------|------|
| sick | 10   |

<div class="note"><p>Some <b>markup</b></p></div>
<!-- a remark -->

```python
def leave():

    return 12
```
"""


def test_markdown(read: Read) -> None:
    page = read(MARKDOWN, "docs/leave.md")
    assert page.text == (
        "Parental leave\n\nTake twelve weeks of paid leave.\nAsk first.\n\nExceptions\n\n"
        "one\ninner\ntwo\nKind | Days\nsick | 10\n\nSome markup\n\ndef leave():\n\n    return 12"
    )
    assert headings(page) == [(1, "Parental leave"), (2, "Exceptions")]
    assert page.title == "Leave"
    assert page.stated_at == datetime(2024, 5, 6, tzinfo=UTC)
    assert page.metadata["tags"] == ["people", "policy"]
    assert page.metadata["alt_texts"] == ["a form"]
    assert page.type == "markdown"


def test_front_matter_that_is_no_yaml_or_none_at_all(read: Read) -> None:
    assert read(b"---\ntitle: Travel: by train\n---\ntext", "a.md").title == "Travel: by train"
    rule = read(b"---\nnot a field\n---\ntext", "a.md")
    assert "not a field" in rule.text
    bomb = b"---\na: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n---\ntext"
    assert read(bomb, "a.md").text == "text"


def test_a_page_of_front_matter_alone_is_refused(
    refusal: Callable[[bytes, str], BadInput],
) -> None:
    assert refusal(b"---\nredirect: /elsewhere\n---\n", "a.md").reason == "no_text"


RST = b"""
=======
Project
=======

:Author: Writer

A *short* ``text`` with a :class:`Role <module.Role>` and a `link <https://example.org>`_.

Usage
-----

.. note:: Careful here.

.. versionadded:: 2.0
   It came late.

.. code-block:: python

   run()

* one
* two

=====  ====
Kind   Days
=====  ====
sick   10
=====  ====

.. image:: logo.png
   :alt: The logo

.. a remark
.. include:: /etc/hostname
.. raw:: html

   <script>x</script>
"""


def test_restructured_text(read: Read) -> None:
    page = read(RST, "README.rst")
    assert page.text == (
        "Project\n\nAuthor: Writer\n\nA short text with a Role and a link.\n\nUsage\n\n"
        "Careful here.\n\n2.0 It came late.\n\nrun()\n\none\ntwo\nKind | Days\nsick | 10"
    )
    assert headings(page) == [(1, "Project"), (2, "Usage")]
    assert page.title == "Project"
    assert page.metadata["alt_texts"] == ["The logo"]


def test_plain_text_in_many_encodings(read: Read) -> None:
    german, russian = "Grüße aus Köln, schöne Straße", "Привет, как дела? Сегодня хорошая погода."
    for text, encoding in [
        (german, "utf-8"),
        (german, "utf-8-sig"),
        (german, "utf-16"),
        (german, "utf-16-le"),
        (german, "utf-16-be"),
        (german, "cp1252"),
        (russian, "cp1251"),
        ("これは日本語のテキストです。文字コードを判定します。", "shift_jis"),
    ]:
        document = read(text.encode(encoding), "notes.txt")
        assert (document.text, document.type) == (text, "text"), encoding


def test_a_few_broken_bytes_do_not_change_the_encoding(read: Read) -> None:
    text = read("Größe und Länge: ".encode() * 20 + b"\xff", "a.txt").text
    assert text == ("Größe und Länge: " * 20 + "\ufffd")
