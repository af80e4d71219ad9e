output "function_name" {
  description = "The name of the function."
  value       = aws_lambda_function.portcullis.function_name
}

output "function_arn" {
  description = "The ARN of the function."
  value       = aws_lambda_function.portcullis.arn
}

output "role_arn" {
  description = "The ARN of the function's role, which the look-up roles of other accounts trust."
  value       = aws_iam_role.function.arn
}

output "alert_topic_arn" {
  description = "The ARN of the topic of the alerts."
  value       = aws_sns_topic.alerts.arn
}

output "alert_key_arn" {
  description = "The ARN of the KMS key of that topic."
  value       = local.alert_key_arn
}

output "alarm_topic_arn" {
  description = "The ARN of the topic of the alarms."
  value       = aws_sns_topic.alarms.arn
}

output "queue_arn" {
  description = "The ARN of the queue of the events."
  value       = aws_sqs_queue.events.arn
}

output "queue_url" {
  description = "The URL of the queue of the events."
  value       = aws_sqs_queue.events.url
}

output "dead_letter_queue_arn" {
  description = "The ARN of the queue of the events that were given back too often. `aws sqs start-message-move-task --source-arn` delivers them again."
  value       = aws_sqs_queue.dead_letters.arn
}

output "undelivered_queue_arn" {
  description = "The ARN of the queue of the events that EventBridge could not put into the queue."
  value       = aws_sqs_queue.undelivered.arn
}

output "canary_queue_arn" {
  description = "The ARN of the queue in which the canary's alerts end."
  value       = aws_sqs_queue.canary.arn
}

output "memory_table_name" {
  description = "The name of the memory's table; null without a memory."
  value       = one(aws_dynamodb_table.memory[*].name)
}

output "log_group_name" {
  description = "The log group of the function."
  value       = aws_cloudwatch_log_group.function.name
}

output "subscriptions_to_confirm" {
  description = "The subscriptions by mail that nobody has confirmed yet, or that a link in the mail can end. Confirm them with `aws sns confirm-subscription --authenticate-on-unsubscribe true`."
  value = sort(concat(
    [for name, entry in aws_sns_topic_subscription.alerts : name if startswith(entry.protocol, "email") && (entry.pending_confirmation || !entry.confirmation_was_authenticated)],
    [for name, entry in aws_sns_topic_subscription.alarms : name if startswith(entry.protocol, "email") && (entry.pending_confirmation || !entry.confirmation_was_authenticated)],
  ))
}
