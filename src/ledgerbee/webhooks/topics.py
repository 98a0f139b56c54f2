"""Which events integrators are told of. Everything else that happens is in the audit trail alone."""

from typing import Final

#: The event of a test, which goes to the tested endpoint alone, whatever that subscribes to.
PING: Final = "ping"

#: What is told of. Those of subscriptions, billing runs, cards and payouts can be subscribed to before there are any.
TOPICS: Final = frozenset({
    "billing.credit_note_sent", "billing.invoice_overdue", "billing.invoice_paid", "billing.invoice_sent",
    "billing.run_completed", "billing.run_started", "contact.created", "contact.updated", "credit_note.cancelled",
    "credit_note.created", "credit_note.delivery_failed", "credit_note.sent", "credit_note.sent_again",
    "customer.created", "customer.credit_refunded", "customer.updated", "customer_group.created",
    "delivery.bounce_reported", "department.created", "department.updated", "draft_journal_entry.booked",
    "draft_journal_entry.created", "draft_journal_entry.deleted", "draft_journal_entry.updated",
    "e_invoice.answered", "e_invoice.delivered", "e_invoice.failed", "incoming_document.answer_failed",
    "incoming_document.answer_sent", "incoming_document.answered", "incoming_document.drafted",
    "incoming_document.received", "incoming_message.received", "incoming_message.status_failed",
    "incoming_message.status_sent", "invoice.cancelled", "invoice.created", "invoice.credit_applied",
    "invoice.credit_refunded", "invoice.credited", "invoice.deleted", "invoice.delivery_failed", "invoice.paid",
    "invoice.partially_paid", "invoice.reopened", "invoice.sent", "invoice.sent_again", "invoice.updated",
    "invoice.write_off_reversed", "invoice.written_off", "journal_entry.posted", "journal_entry.reversed",
    "journal_entry.updated", "journal_import.cancelled", "journal_import.completed", "journal_import.created",
    "journal_import.failed", "journal_import.posted", "meter.archived", "meter.created",
    "order_confirmation.converted", "order_confirmation.created", "order_confirmation.delivery_failed",
    "order_confirmation.sent", "order_confirmation.sent_again", "order_confirmation.updated", "payment.disputed",
    "payment.failed", "payment.recorded", "payment.refunded", "payment.requires_action", "payment.reversed",
    "payment.succeeded", "payment_method.expired", "payment_method.expiring", "payment_method.removed",
    "payment_method.saved", "payment_method.updated", "payout.paid", "ping", "product.created", "product.deleted",
    "product.updated", "product_group.created", "product_group.deleted", "product_group.updated",
    "product_price.created", "product_price.deleted", "product_price.updated", "project.created", "project.updated",
    "quote.accepted", "quote.converted", "quote.created", "quote.delivery_failed", "quote.link_revoked",
    "quote.rejected", "quote.sent", "quote.sent_again", "quote.updated", "subscription.assigned",
    "subscription.billed", "subscription.cancellation_cleared", "subscription.cancellation_scheduled",
    "subscription.churned", "subscription.error", "subscription.paused", "subscription.payment_succeeded",
    "subscription.resumed", "subscription.started", "subscription.transitioned", "subscription.trial_ended",
    "subscription.updated", "subscription_change.cancelled", "subscription_change.created",
    "subscription_plan.activated", "subscription_plan.archived", "subscription_plan.created",
    "subscription_plan.updated", "test_clock.advanced", "test_clock.failed", "usage.unattributed",
    "usage_backfill.cancelled", "usage_backfill.closed", "usage_backfill.created", "usage_backfill.reverted",
    "usage_event.amended", "usage_event.withdrawn", "usage_import.cancelled", "usage_import.completed",
    "usage_import.created", "usage_import.failed", "vendor.created", "vendor_group.created",
    "webhook_endpoint.disabled",
})  # fmt: skip
