output "undelivered_queue_arn" {
  description = "The ARN of the queue of the events that EventBridge could not send."
  value       = aws_sqs_queue.undelivered.arn
}
