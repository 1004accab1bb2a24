//! Pages of long answers.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::ApiError;

/// The most elements of a page, and how many it has when the client does not say.
const MAX_RESULTS: usize = 1000;
const DEFAULT_RESULTS: usize = 100;

/// Which part of a list a client wants.
pub(super) struct Page {
    start: usize,
    size: usize,
}

impl Page {
    pub(super) fn of(max_results: Option<usize>, next_token: Option<&str>) -> Result<Self, ApiError> {
        let size = match max_results {
            None | Some(0) => DEFAULT_RESULTS,
            Some(size) if size <= MAX_RESULTS => size,
            Some(size) => {
                return Err(ApiError::validation(format!(
                    "1 validation error detected: Value '{size}' at 'maxResults' failed to satisfy constraint: Member \
                     must have value less than or equal to {MAX_RESULTS}"
                )));
            }
        };
        let start = next_token.map_or(Ok(0), |token| {
            read(token).ok_or_else(|| ApiError::new("InvalidToken", format!("Invalid Token: '{token}'")))
        })?;
        Ok(Self { start, size })
    }

    /// This page of a list, and the token of the next one where there is more.
    pub(super) fn cut<T>(&self, items: impl IntoIterator<Item = T>) -> (Vec<T>, Option<String>) {
        let mut rest = items.into_iter().skip(self.start);
        let page: Vec<T> = rest.by_ref().take(self.size).collect();
        (page, rest.next().is_some().then(|| self.next()))
    }

    /// This page of a list of which `read` gives a piece: as many elements as the second argument says, after those
    /// that the first one counts.
    pub(super) fn read<T, E>(
        &self,
        read: impl FnOnce(usize, usize) -> Result<Vec<T>, E>,
    ) -> Result<(Vec<T>, Option<String>), E> {
        let mut page = read(self.start, self.size + 1)?;
        let more = page.len() > self.size;
        page.truncate(self.size);
        Ok((page, more.then(|| self.next())))
    }

    fn next(&self) -> String {
        URL_SAFE_NO_PAD.encode((self.start + self.size).to_string())
    }
}

fn read(token: &str) -> Option<usize> {
    String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?).ok()?.parse().ok()
}
