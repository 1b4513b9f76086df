"""An S3 server on loopback, moto's, that asks for keys and can stop answering in the middle of a push."""

import json
import logging
import threading
from collections.abc import Iterable
from typing import Any

import boto3
from moto import settings
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

POLICY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::*"}]}


class Storage:
    """A running server whose `key` and `secret` are the only ones that it accepts."""

    def __init__(self) -> None:
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self.is_holding = threading.Event()
        self.uploads = 0
        self._max_uploads: int | None = None
        self._lock = threading.Lock()
        self._released = threading.Event()
        self._application = DomainDispatcherApplication(create_backend_app)
        self._server = make_server("127.0.0.1", 0, self, threaded=True, request_handler=MotoRequestHandler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.key, self.secret = self._create_keys()

    def __call__(self, request: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer a request (WSGI)."""
        if request["REQUEST_METHOD"] == "PUT" and self._must_hold():
            self.is_holding.set()
            self._released.wait()
            start_response("503 Service Unavailable", [])
            return []
        return self._application(request, start_response)

    def hold_after(self, uploads: int) -> None:
        """Answer so many more uploads, and none of the next ones until `release`."""
        self.is_holding.clear()
        self._released.clear()
        self._max_uploads = self.uploads + uploads

    def release(self) -> None:
        """Refuse the uploads that wait, and answer all later ones."""
        self._max_uploads = None
        self._released.set()

    def create_bucket(self, name: str) -> None:
        self._client("s3", self.key, self.secret).create_bucket(Bucket=name)

    def empty_bucket(self, name: str) -> None:
        for key in self._list_keys(name):
            self._client("s3", self.key, self.secret).delete_object(Bucket=name, Key=key)

    def list_hashes(self, bucket: str) -> set[str]:
        """The MD5 hashes of all files that DVC has put into a bucket."""
        return {"".join(key.split("/")[-2:]) for key in self._list_keys(bucket)}

    def close(self) -> None:
        self.release()
        self._server.shutdown()

    def _list_keys(self, bucket: str) -> list[str]:
        pages = self._client("s3", self.key, self.secret).get_paginator("list_objects_v2").paginate(Bucket=bucket)
        return [found["Key"] for page in pages for found in page.get("Contents", [])]

    def _must_hold(self) -> bool:
        with self._lock:
            if self._max_uploads is not None and self.uploads >= self._max_uploads:
                return True
            self.uploads += 1
            return False

    def _create_keys(self) -> tuple[str, str]:
        """Create a user who may do everything with S3, then refuse everybody else."""
        settings.INITIAL_NO_AUTH_ACTION_COUNT = float("inf")
        iam = self._client("iam", "any", "any")
        iam.create_user(UserName="group")
        iam.put_user_policy(UserName="group", PolicyName="all", PolicyDocument=json.dumps(POLICY))
        keys = iam.create_access_key(UserName="group")["AccessKey"]
        # moto's word for: from this many requests on, check the signature and the policy of each.
        settings.INITIAL_NO_AUTH_ACTION_COUNT = 0
        return keys["AccessKeyId"], keys["SecretAccessKey"]

    def _client(self, service: str, key: str, secret: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id=key,
            aws_secret_access_key=secret,
        )
