//! What all Lambda functions of the application share.
