"""Forms of rows that several curators edit: each saves what was changed in that very page, and nothing else."""

from typing import TYPE_CHECKING, Any

from django.forms.models import ModelForm

if TYPE_CHECKING:
    _ModelForm = ModelForm[Any]
else:
    _ModelForm = ModelForm


class OwnChangesForm(_ModelForm):
    """Each field sends what it showed beside what it holds now, so that ``changed_data`` is what was changed here.

    What was left alone keeps what the row has by now. What somebody else changed meanwhile is not written over
    unseen: the form says so once, and saves when it is sent again. A field that comes without what it showed (from a
    page of the version before, or from a script) is compared to the row, as in any form of Django.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if self.instance.pk:
            for name, field in self.fields.items():
                field.show_hidden_initial = not self.is_bound or self.add_initial_prefix(name) in self.data

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or self.cleaned_data
        for name, field in self.fields.items():
            if not field.show_hidden_initial:  # such as what a list adds to know its rows
                continue
            now = self.get_initial_for_field(field, name)
            if name not in self.changed_data:
                found[name] = getattr(self.instance, name)
            elif self._is_other(name, now):
                self.add_error(
                    name, f"Somebody else changed this meanwhile to: {self._named(name)}. Save to replace it."
                )
                sent = self.data.copy()  # type: ignore[attr-defined]  # a QueryDict, not to be changed in place
                sent[self[name].html_initial_name] = "" if now is None else str(now)
                self.data = sent
        return found

    def _is_other(self, name: str, now: Any) -> bool:
        """Whether the row's value is neither the one this page showed nor the one it sent."""
        field, bound = self.fields[name], self[name]
        return field.has_changed(now, self.data[bound.html_initial_name]) and field.has_changed(now, bound.data)

    def _named(self, name: str) -> str:
        value = getattr(self.instance, name)
        return "(empty)" if value in ("", None) else str(value)
