"""Trains for as long as it is told, and returns a learning curve."""

import time

from webargs import fields, validate


def get_metadata():
    return {"id": "0", "name": "something else", "description": "Trains."}


def get_train_args():
    return {
        "data": fields.Str(required=True, metadata={"description": "Folder of images"}),
        "epochs": fields.Int(load_default=3, validate=validate.Range(1, 50)),
        "seconds": fields.Float(load_default=0.0),
        "opt": fields.Str(load_default="adam", validate=validate.OneOf(["adam", "sgd"])),
        "weights": fields.List(fields.Float(), load_default=[1.0]),
        "aug": fields.Bool(load_default=True),
        "note": fields.Str(load_default=None, allow_none=True),
    }


def train(epochs, seconds, **arguments):
    time.sleep(seconds)
    curve = [1 / (epoch + 1) for epoch in range(epochs)]
    return {"loss": curve[-1], "history": {"loss": curve}, "where": "https://example.org/weights"}


def get_predict_args():
    return {}


def predict(**arguments):
    raise NotImplementedError
