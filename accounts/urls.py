"""The addresses of signing in; ``/login/iam`` and its callback are those of the Flask dashboard."""

from django.contrib.auth.decorators import login_not_required
from django.urls import path
from django.views.decorators.cache import never_cache

from accounts import views
from accounts.oidc import CallbackView, LoginView
from deepdash.limits import limited

# Each start writes a session and each return asks IAM. A whole institute may come from one address.
start = limited("login", limit=60, seconds=60, methods=("GET",))(LoginView.as_view())
finish = limited("login-return", limit=60, seconds=60, methods=("GET",))(CallbackView.as_view())

app_name = "accounts"
urlpatterns = [
    path("login", views.login, name="login"),
    path("login/denied", views.login_denied, name="denied"),
    path("login/iam", login_not_required(never_cache(start)), name="iam"),
    path("login/iam/authorized", login_not_required(never_cache(finish)), name="callback"),
    path("logout", views.logout, name="logout"),
    path("group", views.group, name="group"),
    path("language", views.language, name="language"),
    path("preferences", views.preferences, name="preferences"),
    path("logged-out", views.logged_out, name="logged_out"),
]
