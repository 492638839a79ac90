"""The check that nothing users see is left in one language finds what it says it finds."""

from pathlib import Path

import polib
import pytest

from deepdash.management.commands.makemessages import drop_doubles
from tools.translating.catalogues import differences, unlike_ours
from tools.translating.code import unmarked
from tools.translating.templates import untranslated


@pytest.mark.parametrize(
    "source",
    [
        "<p>Choose a module</p>",
        '{% if a %}<a href="/x" aria-label="Next page"></a>{% endif %}',
        "<h1>{{ name }} is ready</h1>",
        '<p>{{ kind|default:"not known" }}</p>',
        "<p>{{ number }} {{ number|pluralize }}</p>",
        '{% include "_stale.html" with what="This list was" %}',
        '{% pill "ok" "ok" "Accepted" %}',
        "{% translate 'Yes' %}<p>{% blocktranslate %}Fine{% endblocktranslate %} Forgotten</p>",
        "<code>{% if a %}</code><p>Forgotten</p>{% endif %}",
        '<p>{{ day|date:"j M Y" }}</p>',
        '<p>{{ names|join:" and " }}</p>',
        '<p>{{ days|add:" days" }}</p>',
        '<input type="submit" value="Send now">',
        '<button data-confirm="Are you sure?"></button>',
        "<p hx-prompt='Your name?'></p>",
        '<input aria-placeholder="Type here">',
        '{% field f label="Your name" %}',
    ],
)
def test_words_in_a_template_are_found(source: str) -> None:
    assert len(untranslated(source)) == 1


@pytest.mark.parametrize(
    "source",
    [
        '<p class="lead">{% translate "Choose a module" %}</p>',
        "<p>{% blocktranslate count n=n %}{{ n }} bit{% plural %}{{ n }} bits{% endblocktranslate %}</p>",
        "<p>{# a remark #}{% comment %}another one{% endcomment %}</p>",
        "<code>manage.py refresh_catalog</code><pre>some code</pre>",
        "<p>{{ name }} · {{ size }} GB, GPU – IAM &nbsp;</p>",
        '<p data-tone="{{ tone|default:"warning" }}">{{ kind|default:_("not known") }}</p>',
        '<p data-filter="#list tbody tr">{{ day|date:"Y-m-d" }} {{ day|date:_("j M") }} {{ here|add:"?fresh=1" }}</p>',
        '<input type="hidden" value="Some Name"><input type="submit" value="{% translate "Send" %}">',
        '{% block wrap_class %} narrow{% endblock %}{% url "catalog:home page" %}',
    ],
)
def test_what_is_translated_or_no_language_is_left_alone(source: str) -> None:
    assert untranslated(source) == []


@pytest.mark.parametrize(
    "source",
    [
        'label = "Time zone"',
        'messages.success(request, f"{name} was deleted.")',
        'raise Problem("page:x", cause="It is gone")',
        'form.add_error("x", "It can’t be empty.")',
        "names = {1: 'Newest'}",
        'messages.info(request, "done")',
        'raise ValidationError("required")',
        'field = forms.CharField(label="e-mail")',
        'field = forms.CharField(widget=forms.TextInput(attrs={"placeholder": "name"}))',
        'said = format_html("<b>{}</b> left", number)',
        'said = " and ".join(names)',
        'state = models.CharField(max_length=9, choices=[("a", "Not yet")])',
        'day = date_format(when, "j M Y")',
    ],
)
def test_sentences_in_a_module_are_found(source: str) -> None:
    assert len(list(unmarked(source))) == 1


@pytest.mark.parametrize(
    "source",
    [
        '"""What the module does."""',
        'label = _("Time zone")',
        'log.warning("Nobody was at home: %s", error)',
        'raise ValueError("no such thing here")',
        'header = "text/plain; charset=utf-8"',
        'name = "Some Name"  # not shown',
        "if name == 'Some Name': pass",
        'rows = models.TextField(help_text="As upstream wrote it")',
        'said = ", ".join(names)',
        "said = format_html(\"<b class='{}'>{}</b>\", tone, name)",
        'day = formatted(when, "H:i")',
        'field = forms.CharField(label=_("e-mail"))',
        'said = ngettext("%(n)s minute ago", "%(n)s minutes ago", n) % {"n": n}',
    ],
)
def test_what_nobody_is_shown_is_left_alone(source: str) -> None:
    assert list(unmarked(source)) == []


@pytest.mark.parametrize(
    ("original", "text"),
    [
        ("{count} left", "quedan {n}"),
        ("%(name)s is ready", "está listo"),
        ('<a href="%(url)s">Ask</a>', "<a>Pregunte</a>"),
        ("Ask", 'Pregunte "ya"'),
        ("Ask", "Pregunte <b"),
        ("Ask", "Pregunte "),
        ("Its page", "L'ultima pagina"),
    ],
)
def test_a_translation_that_leaves_its_original_is_found(original: str, text: str) -> None:
    assert differences(original, text)


def test_a_faithful_translation_is_fine() -> None:
    assert differences("%(n)s of <b>{all}</b> – “x”", "<b>{all}</b>: %(n)s – “x”") == []


@pytest.mark.parametrize("original", ["Pick a file.", "It can't be read.", 'Press "Save".', "%(n)s experiments"])
def test_english_that_is_not_ours_is_found(original: str) -> None:
    assert unlike_ours(original)


def test_english_in_our_words_is_fine() -> None:
    assert unlike_ours('Select <a href="%(url)s">%(pick)s</a>, or “%(login)s”.') == []


def test_what_a_merge_of_two_branches_leaves_twice_is_mended(tmp_path: Path) -> None:
    path = tmp_path / "django.po"
    head = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=UTF-8\\n"\n\n'
    path.write_text(
        f'{head}#: a.html\nmsgid "One"\nmsgstr ""\nmsgstr "Uno"\n\n'
        '#: b.html\nmsgid "Two"\nmsgstr "Dos"\nmsgstr "Los dos"\n\n'
        '#: c.html\nmsgid "Two"\nmsgstr ""\n\n'
        '#: d.html\nmsgid "day"\nmsgid_plural "days"\nmsgstr[0] ""\nmsgstr[0] "día"\nmsgstr[1] "días"\n',
        encoding="utf-8",
    )
    drop_doubles(path)
    found = [(entry.msgid, entry.msgstr, entry.msgstr_plural) for entry in polib.pofile(str(path))]
    assert found == [("One", "Uno", {}), ("Two", "Dos", {}), ("day", "", {0: "día", 1: "días"})]
