"""Markdown becomes parts that fit the portal's components and its content security policy."""

from __future__ import annotations

import re

import pytest

from portal.docs.guides import BrokenContent, load_guides, navigation, neighbours
from portal.docs.prose import Code, Samples, describe, highlight, render
from tests.portal.docs.conftest import CONTENT

EVERYTHING = """Before.

| Left | Right |
|:-----|------:|
| a    | 1     |

## A heading & more

1. First:

    ```bash title="List customers"
    curl "$SLIPWAY_URL" \\
      --header 'a'

    echo done
    ```

2. Second

### Below {#chosen}

    indented <code>

```json
{"a": 1}
```
"""


def codes(text: str) -> list[Code]:
    return [part for part in render(text).parts if isinstance(part, Code)]


def test_code_becomes_panels_in_order_even_inside_lists():
    first, second, third = codes(EVERYTHING)
    assert (first.title, first.language) == ("List customers", "Shell")
    assert first.text == "curl \"$SLIPWAY_URL\" \\\n  --header 'a'\n\necho done"
    assert second.text == "indented <code>"
    assert third.language == "JSON"
    markup = "".join(part for part in render(EVERYTHING).parts if not isinstance(part, Code))
    assert markup.count("<li>") == markup.count("</li>") == 2 and markup.count("<ol") == 1


def test_one_request_in_several_languages_becomes_one_group():
    fenced = "## Read\n\n```python\na\n```\n\n```javascript\nb\n```\n\nWords\n\n```python\nc\n```\n"
    groups = [block for block in render(fenced).blocks if isinstance(block, Samples)]
    variants = (
        ("python", "Python", highlight("a", "python")),
        ("javascript", "JavaScript", highlight("b", "javascript")),
    )
    assert groups == [Samples("sample-1", "Read", variants)]
    assert [type(block).__name__ for block in render(fenced).blocks] == ["Markup", "Samples", "Markup", "Code"]


@pytest.mark.parametrize("pair", [("http", "json"), ("bash", "bash"), ("python", "python")])
def test_other_blocks_in_a_row_stay_apart(pair):
    fenced = "".join(f"```{language}\nx\n```\n\n" for language in pair)
    assert [type(block).__name__ for block in render(fenced).blocks] == ["Code", "Code"]


def test_headings_have_anchors_with_names():
    prose = render(EVERYTHING)
    assert [(each.level, each.anchor, each.text) for each in prose.headings] == [
        (2, "a-heading-more", "A heading & more"),
        (3, "chosen", "Below"),
    ]
    assert 'href="#chosen" aria-label="Link to Below"' in re.sub(
        r'<a aria-label="([^"]+)" class="anchor" href="([^"]+)"', r'<a href="\2" aria-label="\1"', prose.markup
    )


def test_tables_can_be_scrolled_and_focused():
    markup = render(EVERYTHING).markup
    assert 'role="region" tabindex="0"' in markup
    assert '<td align="right">' in markup and "style" not in markup


def test_sections_keep_words_and_code_apart():
    sections = {section.anchor: section for section in render(EVERYTHING).sections}
    assert sections[""].text == "Before. Left Right a 1"
    assert sections["a-heading-more"].text == "First: Second"
    assert "--header" in sections["a-heading-more"].code
    assert sections["chosen"].code == 'indented <code>\n{"a": 1}\n'


def test_all_content_renders_without_inline_style_script_or_handler():
    files = list(CONTENT.rglob("*.md"))
    assert files
    for path in files:
        markup = render(path.read_text(encoding="utf-8").partition("\n---\n")[2]).markup
        assert not re.search(r"<[^>]+\s(style|on\w+)=|<script|<style|javascript:", markup), path.name


def test_highlighted_code_is_escaped():
    assert highlight("<b>&", "no-such-language") == "&lt;b&gt;&amp;"
    assert "<script" not in highlight('x = "<script>"', "python")


@pytest.mark.parametrize("evil", ["<script>alert(1)</script>", "[x](javascript:alert(1))", "<p style='a' onclick=b>x"])
def test_descriptions_of_a_foreign_document_are_cleaned(evil):
    markup = describe(f"*good* {evil}")
    assert "<em>good</em>" in markup
    assert not re.search(r"script|style|onclick", markup)


def write(folder, name, front):
    (folder / f"{name}.md").write_text(f"---\n{front}\n---\n\nText.\n")


def test_guides_are_ordered_by_section_then_order(tmp_path):
    for name, section, order in [("c", "Sandbox", 1), ("b", "Start here", 2), ("a", "Start here", 1)]:
        write(tmp_path, name, f"title: {name}\nsummary: s\nsection: {section}\norder: {order}")
    guides = load_guides(tmp_path, str)
    assert [(section, [guide.slug for guide in members]) for section, members in navigation(guides)] == [
        ("Start here", ["a", "b"]),
        ("Sandbox", ["c"]),
    ]
    before, after = neighbours(guides, guides[1])
    assert (before.slug, after.slug) == ("a", "c")
    assert neighbours(guides, guides[0])[0] is None and neighbours(guides, guides[2])[1] is None


def test_a_guide_without_a_summary_is_refused_by_name(tmp_path):
    write(tmp_path, "bare", "title: t\nsection: Sandbox\norder: 1")
    with pytest.raises(BrokenContent, match=r"bare\.md: summary is missing"):
        load_guides(tmp_path, str)


def test_an_earlier_slug_belongs_to_one_guide(tmp_path):
    write(tmp_path, "new", "title: t\nsummary: s\nsection: Sandbox\norder: 1\nwas: [old, older]")
    assert load_guides(tmp_path, str)[0].was == ("old", "older")
    write(tmp_path, "old", "title: t\nsummary: s\nsection: Sandbox\norder: 2")
    with pytest.raises(BrokenContent, match=r"new\.md: was names old, which is the slug of old\.md"):
        load_guides(tmp_path, str)
