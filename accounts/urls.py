"""The addresses of signing in; ``/login/iam`` and its callback are those of the Flask dashboard."""

from django.contrib.auth.decorators import login_not_required
from django.urls import path
from django.views.decorators.cache import never_cache

from accounts import views
from accounts.oidc import CallbackView, LoginView

app_name = "accounts"
urlpatterns = [
    path("login", views.login, name="login"),
    path("login/denied", views.login_denied, name="denied"),
    path("login/iam", login_not_required(never_cache(LoginView.as_view())), name="iam"),
    path("login/iam/authorized", login_not_required(never_cache(CallbackView.as_view())), name="callback"),
    path("logout", views.logout, name="logout"),
    path("logged-out", views.logged_out, name="logged_out"),
]
