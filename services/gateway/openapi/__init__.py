"""The OpenAPI documents: what the gateway's routes take and answer, rendered from the models that read the requests.

`operations` are the words for it, `external` and `dashboard` use them, `document` renders. A test holds that every
route is described; another asks the running gateway whether the descriptions are true.
"""
