"""How forms are drawn: every field through one template."""

from django.forms.renderers import TemplatesSetting


class Renderer(TemplatesSetting):
    """Django's own renderer on our templates (label, hint, error, and the widget's ``aria-`` attributes)."""

    form_template_name = "forms/form.html"
    field_template_name = "forms/field.html"
