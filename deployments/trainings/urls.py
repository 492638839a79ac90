"""Addresses of trainings; part of the namespace ``deployments``."""

from django.urls import path

from deployments.trainings.views import batches, compare, page, predict, runs

urlpatterns = [
    path("deployments/<ref:uuid>/training", page.training, name="training"),
    path("deployments/<ref:uuid>/training/live", page.training_live, name="training_live"),
    path("deployments/<ref:uuid>/training/sets", page.argument_sets, name="training_sets"),
    path("deployments/<ref:uuid>/training/batch", batches.batch_new, name="batch_new"),
    path("deployments/<ref:uuid>/predict", predict.predict, name="predict"),
    path("training", runs.index, name="runs"),
    path("training/export", runs.export, name="runs_export"),
    path("training/import", runs.run_import, name="run_import"),
    path("training/compare", compare.comparison, name="compare"),
    path("training/batches/<uuid:key>", batches.batch, name="batch"),
    path("training/batches/<uuid:key>/stop", batches.batch_stop, name="batch_stop"),
    path("training/<uuid:key>", runs.run, name="run"),
    path("training/<uuid:key>/cancel", runs.run_cancel, name="run_cancel"),
    path("training/<uuid:key>/delete", runs.run_remove, name="run_remove"),
    path("training/<uuid:key>/result", runs.run_result, name="run_result"),
    path("training/<uuid:key>/record", runs.run_record, name="run_record"),
    path("training/<uuid:key>/again", runs.run_again, name="run_again"),
]
