"""Forms made from TOSCA templates: what a template asks for becomes fields with its types, rules and defaults."""

from deployments.forms.tosca import Section, ToscaForm

__all__ = ["Section", "ToscaForm"]
