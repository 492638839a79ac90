"""Types that pages share."""

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails


class Request(HttpRequest):
    """A request as our middleware hands it to views: ``htmx`` tells whether only a fragment is wanted."""

    htmx: HtmxDetails
