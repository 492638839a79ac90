"""TOSCA templates: is it safe to look at, what does it ask for, what does tosca-parser think of it.

``guard`` and ``loader`` turn untrusted text into data, ``description`` turns data into the inputs of a form,
``parameters`` refines those, ``types`` and ``verdict`` ask tosca-parser. Nothing here knows of Django.
"""
