from django.urls import path

from catalog import views, webhook

app_name = "catalog"
urlpatterns = [
    path("", views.home, name="home"),
    path("pictures/<slug:digest>", views.picture, name="picture"),
    path("modules/<slug:slug>", views.module, name="module"),
    path("modules/<slug:slug>/metadata.json", views.metadata, name="metadata"),
    path("reload", webhook.reload, name="reload"),  # kept from the Flask dashboard
]
