from celery import shared_task

from accounts.expiry import expired_forget


@shared_task  # type: ignore[untyped-decorator]  # celery is untyped
def forget_expired() -> None:
    """Every hour (CELERY_BEAT_SCHEDULE)."""
    expired_forget()
