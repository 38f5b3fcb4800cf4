from collections.abc import Callable

from include.errors import BadInput
from include.extraction import Extractor, Limits
from include.models import Extracted

Read = Callable[[bytes, str], Extracted]

SENTENCE = "The harbour was rebuilt after the flood, and its cranes now serve two railway lines. "
ARTICLE = f"""<!DOCTYPE html><html lang="en"><head>
<title>The harbour — Daily</title><meta property="og:title" content="The harbour">
<meta name="author" content="A. Writer">
<meta property="article:published_time" content="2024-05-06T07:08:09+02:00">
<script>var secret = "in a script";</script><style>p {{ color: red }}</style></head><body>
<nav><ul><li><a href="/">Home</a></li><li><a href="/sport">Sport pages</a></li></ul></nav>
<article><h1>The harbour</h1><p>{SENTENCE * 3}</p><h2>Cranes</h2><p>{SENTENCE * 4}</p>
<figure><img src="a.png" alt="A crane at dusk"><figcaption>Picture: the new crane</figcaption>
</figure><p hidden>Hidden words</p><p>{SENTENCE * 2}</p></article>
<aside><p><a href="/x">You might also like these other stories of ours</a></p></aside>
<footer><p>Copyright of the Daily, all rights reserved, imprint and contact</p></footer>
</body></html>"""


def headings(document: Extracted) -> list[tuple[int, str]]:
    return [(h.level, document.text[h.start_char : h.end_char]) for h in document.headings]


def test_an_article_is_freed_of_its_page(read: Read) -> None:
    page = read(ARTICLE.encode(), "a.html")
    assert page.text.count("The harbour was rebuilt") == 9
    for noise in ("Sport", "Copyright", "also like", "secret", "color", "Hidden"):
        assert noise not in page.text
    assert headings(page) == [(1, "The harbour"), (2, "Cranes")]
    assert page.title == "The harbour — Daily"
    assert page.type == "html"
    assert page.stated_at is not None
    assert page.stated_at.isoformat() == "2024-05-06T07:08:09+02:00"
    assert page.metadata["author"] == "A. Writer"
    assert page.metadata["language"] == "en"


def test_captions_and_alternative_texts_are_metadata(read: Read) -> None:
    page = read(ARTICLE.encode(), "a.html")
    assert page.metadata["alt_texts"] == ["A crane at dusk"]
    assert page.metadata["captions"] == ["Picture: the new crane"]
    assert "dusk" not in page.text
    assert "Picture" not in page.text


def test_a_small_document_is_kept_whole(read: Read) -> None:
    page = read(
        b"<html><body><h1>Prices</h1>First<div>Second</div><table><tr><th>Kind<th>Price</tr>"
        b"<tr><td>tea<td>3</tr></table><ul><li>one<ul><li>inner</ul><li>two <b>bold</b></ul>"
        b"<dl><dt>term<dd>meaning</dl>Last<br>line</body></html>",
        "prices.html",
    )
    assert page.text == (
        "Prices\n\nFirst\n\nSecond\n\nKind | Price\ntea | 3\none\ninner\ntwo bold\nterm\n"
        "meaning\n\nLast\nline"
    )
    assert page.title == "Prices"


def test_a_manual_on_a_site_keeps_its_text(read: Read) -> None:
    entries = "".join(
        f"<dt>option{n}</dt><dd>Sets the number {n} of the machine to another value.</dd>"
        for n in range(40)
    )
    page = read(
        f"<html><head><title>M</title><script>1</script></head><body><nav>Menu</nav><h1>Options"
        f"</h1><dl>{entries}</dl><pre>first line\n    second line</pre></body></html>".encode(),
        "m.html",
    )
    assert all(f"option{n}\n" in page.text for n in range(40))
    assert "first line\n    second line" in page.text
    assert "Menu" not in page.text


def test_a_layout_table_does_not_become_one_line(read: Read) -> None:
    page = read(
        b"<html><body><table><tr><td><h2>Left</h2><p>One.</p></td><td><ul><li>Two.</ul></td></tr>"
        b"</table></body></html>",
        "layout.html",
    )
    assert page.text == "Left\n\nOne.\n\nTwo."


def test_encodings_are_found(read: Read) -> None:
    declared = '<meta charset="windows-1251"><p>Привет, мир</p>'.encode("cp1251")
    assert read(declared, "a.html").text == "Привет, мир"
    assert read("<html><p>Grüße</p></html>".encode("utf-16"), "a.html").text == "Grüße"
    wrong = '<meta charset="iso-8859-1"><p>Grüße</p>'.encode()
    assert read(wrong, "a.html").text == "Grüße"


def test_the_html_of_a_record_is_taken_whole() -> None:
    with Extractor(Limits(memory_mb=512)) as extractor:
        record = extractor.extract_record_html(f"<nav>x</nav>{ARTICLE[-400:]}<p>A short tail")
    assert "You might also like" in record.text
    assert record.text.endswith("A short tail")


def test_pages_without_text_or_end_are_refused(
    refusal: Callable[[bytes, str], BadInput],
) -> None:
    assert refusal(b"<html><body><script>go()</script></body></html>", "a.html").reason == "no_text"
    assert refusal(b"<html>" + b"<div>" * 50_000 + b"x", "a.html").reason == "too_complex"
