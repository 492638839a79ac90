"""Gives up in its training, and has no metadata."""

from webargs import fields


def get_train_args():
    return {"data": fields.Str(load_default="nowhere")}


def train(data):
    raise ValueError(f"no images in {data}")


def get_predict_args():
    return {}


def predict(**arguments):
    raise RuntimeError("no weights")
