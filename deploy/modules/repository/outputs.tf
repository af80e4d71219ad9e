output "repository_url" {
  description = "Where the image is pushed."
  value       = aws_ecr_repository.portcullis.repository_url
}
