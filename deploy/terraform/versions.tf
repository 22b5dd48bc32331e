terraform {
  # Write-only arguments: no password comes into the state.
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100, < 7"
    }
  }
}

# Region and credentials come from where the AWS CLI has them.
provider "aws" {
  default_tags {
    tags = merge({ Application = var.name }, var.tags)
  }
}
