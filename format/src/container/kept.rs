//! Raw bodies that were asked for lately: packs of small slices are asked for again and again, column by column.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use super::frame::FrameKind;
use super::reference::Reference;

/// Bodies up to this size are kept.
const MOST_OF_ONE: u64 = 1 << 20;

/// Bytes of all kept bodies. The patches of a row group's columns stand in a few frames per layer.
const MOST_OF_ALL: u64 = 8 << 20;

/// The last few bodies, oldest first.
#[derive(Default)]
pub(super) struct KeptBodies(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    bodies: VecDeque<Body>,
    bytes: u64,
}

/// A body, and as what it was asked for.
struct Body {
    reference: Reference,
    kind: FrameKind,
    raw: Arc<Vec<u8>>,
}

impl KeptBodies {
    /// The body, if it is kept.
    pub(super) fn get(&self, reference: &Reference, kind: FrameKind) -> Option<Arc<Vec<u8>>> {
        let kept = self.0.lock().ok()?;
        let found = kept.bodies.iter().rfind(|body| (&body.reference, body.kind) == (reference, kind))?;
        Some(Arc::clone(&found.raw))
    }

    /// Keeps a body, unless it is large, and forgets the oldest ones for it.
    pub(super) fn keep(&self, reference: &Reference, kind: FrameKind, raw: &Arc<Vec<u8>>) {
        let bytes = raw.len() as u64;
        let Ok(mut kept) = self.0.lock() else { return };
        let is_kept = kept.bodies.iter().any(|body| (&body.reference, body.kind) == (reference, kind));
        if bytes > MOST_OF_ONE || is_kept {
            return;
        }
        kept.bytes += bytes;
        kept.bodies.push_back(Body { reference: *reference, kind, raw: Arc::clone(raw) });
        while kept.bytes > MOST_OF_ALL
            && let Some(oldest) = kept.bodies.pop_front()
        {
            kept.bytes -= oldest.raw.len() as u64;
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn reference(offset: u64) -> Reference {
        Reference { offset, length: 104, digest: [0; 32] }
    }

    #[test]
    fn the_latest_are_kept_and_no_more_than_allowed() {
        let kept = KeptBodies::default();
        let body = Arc::new(vec![7; 1 << 20]);
        for offset in 0..20 {
            kept.keep(&reference(offset), FrameKind::Data, &body);
            kept.keep(&reference(offset), FrameKind::Data, &body);
        }
        let found = (0..20).filter(|offset| kept.get(&reference(*offset), FrameKind::Data).is_some());
        assert_eq!(found.collect::<Vec<_>>(), (12..20).collect::<Vec<_>>());
        assert!(kept.get(&reference(19), FrameKind::Catalog).is_none(), "as what it was asked for");
        assert_eq!(kept.0.lock().unwrap().bytes, 8 << 20);
        kept.keep(&reference(99), FrameKind::Data, &Arc::new(vec![0; (1 << 20) + 1]));
        assert!(kept.get(&reference(99), FrameKind::Data).is_none(), "too large");
    }
}
