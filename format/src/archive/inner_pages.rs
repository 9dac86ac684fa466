//! The inner pages of the parent's table: one whose children are the same is referred to, not written again.

use std::collections::HashMap;

use super::manifest::{Page, PageEntry, SliceReference, TableManifest};
use super::pack;
use crate::container::{ContainerReader, FrameKind};
use crate::error::Layer;
use crate::wire;

/// Inner pages by their first child.
#[derive(Debug, Default)]
pub(super) struct InnerPages(HashMap<SliceReference, (PageEntry, Vec<PageEntry>)>);

impl InnerPages {
    /// Those of a table. Pages that cannot be read are left out.
    pub(super) fn of(container: &ContainerReader, manifest: &TableManifest) -> Self {
        let mut pages = Self::default();
        let mut level = manifest.pages.clone();
        for _ in 0..manifest.page_depth {
            let mut below = Vec::new();
            for entry in level {
                let Some(children) = children(container, &entry) else { continue };
                below.extend(children.iter().cloned());
                if let Some(first) = children.first() {
                    pages.0.insert(first.page, (entry, children));
                }
            }
            level = below;
        }
        pages
    }

    /// The page with exactly these children.
    pub(super) fn with_children(&self, children: &[PageEntry]) -> Option<&PageEntry> {
        let (page, found) = self.0.get(&children.first()?.page)?;
        (found == children).then_some(page)
    }
}

fn children(container: &ContainerReader, entry: &PageEntry) -> Option<Vec<PageEntry>> {
    let body = container.body(&entry.page.frame, FrameKind::TableMetadata).ok()?;
    let bytes = pack::slice(&body, entry.page.start, entry.page.length, Layer::Reference).ok()?;
    match wire::decode(bytes, "page").ok()? {
        Page::Inner { children } => Some(children),
        Page::Leaf { .. } => None,
    }
}
