//! One module for each kind of resource.

pub(crate) mod activity;
pub(crate) mod api;
pub(crate) mod asset;
pub(crate) mod bucket;
pub(crate) mod code;
pub(crate) mod event;
pub(crate) mod function;
pub(crate) mod layer;
pub(crate) mod mapping;
pub(crate) mod notification;
pub(crate) mod openapi;
pub(crate) mod parameter;
pub(crate) mod queue;
pub(crate) mod rule;
pub(crate) mod schedule;
pub(crate) mod state_machine;
pub(crate) mod table;
pub(crate) mod target;
pub(crate) mod topic;
