output "functions" {
  description = "The functions, `events` and `sweep`, each with its `name`, `arn`, `log_group`, and the `queue_url` and `queue_arn` of its queue."
  value = {
    for key, function in aws_lambda_function.function : key => {
      name      = function.function_name
      arn       = function.arn
      log_group = aws_cloudwatch_log_group.function[key].name
      queue_url = aws_sqs_queue.input[key].url
      queue_arn = aws_sqs_queue.input[key].arn
    }
  }
}

output "queue_arns" {
  description = "The ARNs of the other queues: `dead_letters` has what was given back too often (`aws sqs start-message-move-task --source-arn` delivers it again), `undelivered` what EventBridge could not put into the queue, `canary` the canary's alerts."
  value = {
    dead_letters = aws_sqs_queue.dead_letters.arn
    undelivered  = aws_sqs_queue.undelivered.arn
    canary       = aws_sqs_queue.canary.arn
  }
}

output "role_arn" {
  description = "The ARN of the functions' role, which the look-up roles of other accounts trust."
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

output "memory_table_name" {
  description = "The name of the memory's table; null without a memory."
  value       = one(aws_dynamodb_table.memory[*].name)
}

output "subscriptions_to_confirm" {
  description = "By the ARN of the topic: the endpoints that have not confirmed yet and hear nothing, and the mail addresses whose subscription a link in the mail can end. Confirm them with `aws sns confirm-subscription --authenticate-on-unsubscribe true`."
  value = {
    for subscription in concat(values(aws_sns_topic_subscription.alerts), values(aws_sns_topic_subscription.alarms)) : subscription.topic_arn => subscription.endpoint...
    if subscription.pending_confirmation || (startswith(subscription.protocol, "email") && !subscription.confirmation_was_authenticated)
  }
}
