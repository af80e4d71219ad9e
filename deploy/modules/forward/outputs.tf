output "undelivered_queue_arn" {
  description = "The ARN of the queue of the events that EventBridge could not send."
  value       = aws_sqs_queue.undelivered.arn
}

output "subscriptions_to_confirm" {
  description = "As of the module portcullis."
  value = {
    for subscription in values(aws_sns_topic_subscription.alarms) : subscription.topic_arn => subscription.endpoint...
    if subscription.pending_confirmation || (startswith(subscription.protocol, "email") && !subscription.confirmation_was_authenticated)
  }
}
