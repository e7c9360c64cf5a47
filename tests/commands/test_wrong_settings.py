"""A wrong setting stops the start in one line that names it and says what is expected."""

import os
import subprocess
import sys

import pytest

WRONG = [
    ({"FANFARE_SECRET_KEY": "short"}, "FANFARE_SECRET_KEY must be at least 32 random characters"),
    ({"FANFARE_LOG_LEVEL": "loud"}, "FANFARE_LOG_LEVEL must be DEBUG, INFO"),
    ({"FANFARE_LOG_FORMAT": "xml"}, "FANFARE_LOG_FORMAT must be console or json"),
    ({"FANFARE_PORT": "high"}, "FANFARE_PORT must be a whole number"),
    ({"FANFARE_DB_POOL": "-1"}, "FANFARE_DB_POOL must be at least 0"),
    ({"FANFARE_DEBUG": "perhaps"}, "FANFARE_DEBUG must be true or false"),
    ({"FANFARE_PUBLIC_URL": "nonsense"}, "FANFARE_PUBLIC_URL must be an address"),
    ({"DATABASE_URL": "mysql://u:p@h/x"}, "DATABASE_URL must be postgresql://"),
    ({"DATABASE_URL": "postgresql://u:p@h:abc/x"}, "DATABASE_URL names no port"),
    ({"REDIS_URL": "http://h"}, "REDIS_URL must be redis://"),
    (
        {"FANFARE_EMAIL_URL": "mail.example.com"},
        "FANFARE_EMAIL_URL must be an address such as smtp://, smtp+tls://",
    ),
    (
        {"FANFARE_EMAIL_URL": "https://mail.example.com"},
        "FANFARE_EMAIL_URL must be an address such as smtp://",
    ),
    (
        {"FANFARE_EMAIL_URL": "smtp://"},
        "FANFARE_EMAIL_URL must be an address such as smtp+tls://user:password@",
    ),
    ({"FANFARE_EMAIL_URL": "smtp://h:99999"}, "FANFARE_EMAIL_URL must be an address such as smtp://"),
    ({"FANFARE_EMAIL_URL": "file:"}, "FANFARE_EMAIL_URL must be an address such as file:/folder"),
    (
        {"FANFARE_SMS_URL": "gateway"},
        "FANFARE_SMS_URL must be an address such as https://gateway.example.com/send",
    ),
    (
        {"FANFARE_SMS_URL": "smtp://h"},
        "FANFARE_SMS_URL must be an address such as https://gateway.example.com/",
    ),
    ({"FANFARE_SMS_URL": "https://h:abc/"}, "FANFARE_SMS_URL must be an address such as https://gateway."),
]


@pytest.mark.parametrize(("variables", "said"), WRONG)
def test_it_is_named(variables: dict[str, str], said: str) -> None:
    command = [sys.executable, "manage.py", "check"]
    found = subprocess.run(command, env=os.environ | variables, capture_output=True, text=True)
    assert found.returncode == 1
    assert said in found.stderr
    assert "Traceback" not in found.stderr
