"""Rounds the price."""

import json


def wallaroo_json(data):
    data = json.loads(data)
    return [{"price": round(each["dense_2"][0])} for each in data]
