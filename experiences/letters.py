"""Mail in an organization's name and look: text and HTML from a pair of templates in `templates/mail/`."""

from typing import Any

from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string

from experiences.models import Organization
from fanfare import mail

# What a theme leaves open.
PLAIN = {
    "primaryColor": "#155dfc",
    "backgroundColor": "#f4f5f7",
    "textColor": "#1f2937",
    "borderRadius": "8px",
}


def write(
    organization: Organization, template: str, to: str, subject: str, **context: Any
) -> EmailMultiAlternatives:
    """A mail from `mail/<template>.txt` and `.html`, ready to be sent."""
    look = PLAIN | organization.theme
    whole = {
        "organization": organization,
        "look": look,
        "logo": organization.theme.get("logoUrl") or organization.logo_url,
        "subject": subject,
        **context,
    }
    return mail.compose(
        to,
        subject,
        render_to_string(f"mail/{template}.txt", whole),
        render_to_string(f"mail/{template}.html", whole),
        sender=organization.name,
        organization_id=organization.id,
    )
