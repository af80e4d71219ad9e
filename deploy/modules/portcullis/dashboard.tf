locals {
  function_names = [for function in local.functions : function.name]

  graphs = merge(
    {
      "Reports"            = [for name in ["received", "decided", "denied", "undecidable", "closed", "ignored"] : ["Portcullis", name, "function", var.name]]
      "Alerts"             = concat([for name in local.function_names : ["Portcullis", "alerts", "function", name]], [for name in ["NumberOfNotificationsDelivered", "NumberOfNotificationsFailed"] : ["AWS/SNS", name, "TopicName", aws_sns_topic.alerts.name]])
      "Messages that wait" = [for queue in concat(values(aws_sqs_queue.input), [aws_sqs_queue.dead_letters, aws_sqs_queue.undelivered]) : ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", queue.name, { stat = "Maximum" }]]
      "What went wrong"    = [for pair in setproduct(["failed", "problems", "look_up_failures", "opa_restarts"], local.function_names) : ["Portcullis", pair[0], "function", pair[1]]]
      "Milliseconds"       = [for stat in ["p50", "p99"] : ["Portcullis", "ms", "function", var.name, { stat = stat }]]
      "The functions"      = [for pair in setproduct(["Invocations", "Errors", "Throttles"], local.function_names) : ["AWS/Lambda", pair[0], "FunctionName", pair[1]]]
      "Heartbeats, canary" = [["Portcullis", "heartbeats", "function", var.name], ["AWS/SQS", "NumberOfMessagesSent", "QueueName", aws_sqs_queue.canary.name]]
    },
    { for title in ["Sweeps"] : title => [for name in ["sweeps", "sweep_problems", "denied"] : ["Portcullis", name, "function", local.swept]] if local.sweeps },
  )
}

resource "aws_cloudwatch_dashboard" "portcullis" {
  dashboard_name = var.name

  dashboard_body = jsonencode({
    widgets = [for title, metrics in local.graphs : {
      type   = "metric"
      width  = 12
      height = 6
      properties = {
        title   = title
        region  = local.region
        metrics = metrics
        stat    = "Sum"
        period  = 300
      }
    }]
  })
}
