//! What S3 asks of us, one file a theme. `s3s` has checked the signature and read the request before any of it is called.

mod configuration;
mod copy;
mod delete;
mod get;
mod list;
mod multipart;
mod nature;
mod page;
mod put;
mod tags;

use crate::bucket::Bucket;
use async_trait::async_trait;
use s3s::dto::*;
use s3s::{S3, S3Request, S3Response, S3Result};
use std::sync::Arc;

pub(crate) use configuration::{Ageing, rules};

/// The bucket, as S3 sees it.
#[derive(Debug, Clone)]
pub(crate) struct Backend(pub(crate) Arc<Bucket>);

/// Passes each operation on to the function of its name.
macro_rules! operations {
    ($($module:ident::$name:ident($input:ident) -> $output:ident;)*) => {
        #[async_trait]
        impl S3 for Backend {
            $(async fn $name(&self, request: S3Request<$input>) -> S3Result<S3Response<$output>> {
                self.0.check_name(&request.input.bucket)?;
                let output = $module::$name(&self.0, request).await?;
                Ok(S3Response::new(output))
            })*

            async fn list_buckets(
                &self,
                _: S3Request<ListBucketsInput>,
            ) -> S3Result<S3Response<ListBucketsOutput>> {
                Ok(S3Response::new(configuration::list_buckets(&self.0)))
            }

            async fn create_bucket(
                &self,
                request: S3Request<CreateBucketInput>,
            ) -> S3Result<S3Response<CreateBucketOutput>> {
                Ok(S3Response::new(configuration::create_bucket(&self.0, &request.input)?))
            }
        }
    };
}

operations! {
    put::put_object(PutObjectInput) -> PutObjectOutput;
    get::get_object(GetObjectInput) -> GetObjectOutput;
    get::head_object(HeadObjectInput) -> HeadObjectOutput;
    get::get_object_attributes(GetObjectAttributesInput) -> GetObjectAttributesOutput;
    copy::copy_object(CopyObjectInput) -> CopyObjectOutput;
    copy::upload_part_copy(UploadPartCopyInput) -> UploadPartCopyOutput;
    delete::delete_object(DeleteObjectInput) -> DeleteObjectOutput;
    delete::delete_objects(DeleteObjectsInput) -> DeleteObjectsOutput;
    list::list_objects(ListObjectsInput) -> ListObjectsOutput;
    list::list_objects_v2(ListObjectsV2Input) -> ListObjectsV2Output;
    list::list_object_versions(ListObjectVersionsInput) -> ListObjectVersionsOutput;
    multipart::create_multipart_upload(CreateMultipartUploadInput) -> CreateMultipartUploadOutput;
    multipart::upload_part(UploadPartInput) -> UploadPartOutput;
    multipart::complete_multipart_upload(CompleteMultipartUploadInput) -> CompleteMultipartUploadOutput;
    multipart::abort_multipart_upload(AbortMultipartUploadInput) -> AbortMultipartUploadOutput;
    multipart::list_parts(ListPartsInput) -> ListPartsOutput;
    multipart::list_multipart_uploads(ListMultipartUploadsInput) -> ListMultipartUploadsOutput;
    tags::get_object_tagging(GetObjectTaggingInput) -> GetObjectTaggingOutput;
    tags::put_object_tagging(PutObjectTaggingInput) -> PutObjectTaggingOutput;
    tags::delete_object_tagging(DeleteObjectTaggingInput) -> DeleteObjectTaggingOutput;
    configuration::head_bucket(HeadBucketInput) -> HeadBucketOutput;
    configuration::delete_bucket(DeleteBucketInput) -> DeleteBucketOutput;
    configuration::get_bucket_location(GetBucketLocationInput) -> GetBucketLocationOutput;
    configuration::get_bucket_versioning(GetBucketVersioningInput) -> GetBucketVersioningOutput;
    configuration::put_bucket_versioning(PutBucketVersioningInput) -> PutBucketVersioningOutput;
    configuration::get_bucket_encryption(GetBucketEncryptionInput) -> GetBucketEncryptionOutput;
    configuration::get_bucket_lifecycle_configuration(GetBucketLifecycleConfigurationInput)
        -> GetBucketLifecycleConfigurationOutput;
    configuration::put_bucket_lifecycle_configuration(PutBucketLifecycleConfigurationInput)
        -> PutBucketLifecycleConfigurationOutput;
    configuration::delete_bucket_lifecycle(DeleteBucketLifecycleInput) -> DeleteBucketLifecycleOutput;
}
