//! `tabark prune`: says what a policy keeps and why, then drops the rest.

use std::io::{self, Write};

use serde_json::{Map, Value as Json, json};
use tabark::Error;
use tabark::archive::SnapshotSummary;
use tabark::history::retention::{self, Candidate, Decision, Plan, Policy};
use tabark::rewrite::{self, Kept, RewriteReport};

use super::Outcome;
use super::compact::{print_root, rewritten};
use crate::args::{Keep, PruneArgs};
use crate::exit::{Exit, Failure};
use crate::progress::Progress;
use crate::report::aligned::{Aligned, Side};
use crate::report::text::{pairs, shorten, visible, wrapped};
use crate::report::units::{counted, size, time};
use crate::report::{json as as_json, problems};

/// Columns that tags may take, and reasons before they go on in the next line.
const TAGS_WIDTH: usize = 20;
const REASONS_WIDTH: usize = 46;

pub(crate) fn run(args: &PruneArgs, out: &mut dyn Write) -> Outcome {
    run_with(args, out, |plan| {
        super::use_threads(&args.jobs)?;
        let progress = Progress::start()?;
        // What was dumped since the plan was made stays.
        let kept = Kept::AllBut(&plan.dropped());
        let options = super::writing(false, None, args.jobs.number);
        Ok(rewrite::rewrite(&args.archive, kept, None, options, &progress)?)
    })
}

/// `rewrite` replaces the archive by one without the snapshots that the plan drops.
fn run_with(
    args: &PruneArgs,
    out: &mut dyn Write,
    rewrite: impl FnOnce(&Plan) -> Result<RewriteReport, Failure>,
) -> Outcome {
    let policy = policy(&args.keep);
    policy.check().map_err(Failure::Usage)?;
    let archive = super::open(&args.archive)?;
    // One that cannot be listed would be neither kept nor dropped by any rule.
    let snapshots = archive.snapshots()?;
    let bytes_before = archive.container().storage_length();
    drop(archive);
    let pruning = Pruning { args, plan: plan(&snapshots, &policy)?, policy, snapshots, bytes_before };
    for tag in &pruning.plan.unmatched_tags {
        problems::warn(&format!("no snapshot has the tag {tag}"));
    }
    if !args.json {
        pruning.print_plan(out)?;
        out.flush()?;
    }
    if args.dry_run {
        if args.json {
            as_json::write(out, &pruning.object(None))?;
        } else {
            writeln!(out, "nothing was changed (--dry-run)")?;
        }
        return Ok(Exit::Well);
    }
    let report = if pruning.plan.dropped().is_empty() { None } else { Some(rewrite(&pruning.plan)?) };
    super::told(if args.json {
        as_json::write(out, &pruning.object(report.as_ref()))
    } else {
        pruning.print_result(report.as_ref(), out)
    });
    Ok(Exit::Well)
}

fn policy(keep: &Keep) -> Policy {
    let mut policy = Policy::default();
    policy.last = keep.last.unwrap_or_default();
    policy.hourly = keep.hourly.unwrap_or_default();
    policy.daily = keep.daily.unwrap_or_default();
    policy.weekly = keep.weekly.unwrap_or_default();
    policy.monthly = keep.monthly.unwrap_or_default();
    policy.yearly = keep.yearly.unwrap_or_default();
    policy.within = keep.within;
    policy.tags.clone_from(&keep.tags);
    policy
}

fn plan(snapshots: &[SnapshotSummary], policy: &Policy) -> Result<Plan, Error> {
    let candidates: Vec<Candidate<'_>> =
        snapshots.iter().map(|of| Candidate { number: of.number, time: of.time, tags: &of.tags }).collect();
    retention::plan(&candidates, super::now()?, policy)
}

/// What is to be done, and what with.
struct Pruning<'a> {
    args: &'a PruneArgs,
    policy: Policy,
    snapshots: Vec<SnapshotSummary>,
    plan: Plan,
    bytes_before: u64,
}

impl Pruning<'_> {
    fn decisions(&self) -> impl Iterator<Item = (&SnapshotSummary, &Decision)> {
        self.snapshots.iter().zip(&self.plan.decisions)
    }

    fn print_plan(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "keep {}", visible(&self.policy.to_string()))?;
        let mut table = Aligned::new(&[
            ("#", Side::Right),
            ("time (UTC)", Side::Left),
            ("tags", Side::Left),
            ("", Side::Left),
            ("reasons", Side::Left),
        ]);
        for (snapshot, decision) in self.decisions() {
            let reasons = decision.reasons.iter().map(|reason| visible(&reason.to_string()).into_owned());
            let mut lines = wrapped(reasons, ", ", REASONS_WIDTH).into_iter();
            table.row(vec![
                snapshot.number.to_string(),
                time(snapshot.time),
                shorten(&pairs(&snapshot.tags), TAGS_WIDTH).into_owned(),
                if decision.keeps() { "keep" } else { "drop" }.to_owned(),
                lines.next().unwrap_or_default(),
            ]);
            let below = |line| vec![String::new(), String::new(), String::new(), String::new(), line];
            lines.for_each(|line| table.row(below(line)));
        }
        table.write(out)?;
        let (kept, dropped) = (self.plan.kept().len() as u64, self.plan.dropped().len() as u64);
        writeln!(out, "{} to keep, {dropped} to drop", counted(kept, "snapshot"))
    }

    fn print_result(&self, report: Option<&RewriteReport>, out: &mut dyn Write) -> io::Result<()> {
        let Some(report) = report else { return writeln!(out, "nothing was changed") };
        let (before, after) = (size(report.bytes_before), size(report.bytes_after));
        writeln!(out, "dropped {}: {before} before, {after} after", counted(report.dropped, "snapshot"))?;
        print_root(report, out)
    }

    /// Without a report nothing was changed.
    fn object(&self, report: Option<&RewriteReport>) -> Json {
        let bytes_before = report.map_or(self.bytes_before, |report| report.bytes_before);
        let unchanged = (!self.args.dry_run).then_some(bytes_before);
        let snapshots = self.decisions().map(|(snapshot, decision)| {
            let mut object = Map::new();
            object.insert("number".into(), json!(snapshot.number));
            as_json::put_time(&mut object, snapshot.time);
            object.insert("tags".into(), as_json::pairs(&snapshot.tags));
            object.insert("keep".into(), json!(decision.keeps()));
            let reasons: Vec<String> = decision.reasons.iter().map(ToString::to_string).collect();
            object.insert("reasons".into(), json!(reasons));
            Json::Object(object)
        });
        json!({
            "archive": self.args.archive.display().to_string(),
            "dry_run": self.args.dry_run,
            "policy": self.policy.to_string(),
            "snapshots": snapshots.collect::<Vec<Json>>(),
            "kept": self.plan.kept().len(),
            "dropped": self.plan.dropped().len(),
            "unmatched_tags": self.plan.unmatched_tags.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "bytes_before": bytes_before,
            "bytes_after": report.map(|report| report.bytes_after).or(unchanged),
            "rewritten": report.map(rewritten),
        })
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use std::sync::Arc;

    use clap::Parser;
    use tabark::archive::{Archive, ArchiveWriter, SnapshotHeader, WriterOptions};
    use tabark::container::Memory;
    use tabark::model::SourceDescription;

    use super::*;

    /// An archive of snapshots of these times, without tables; the first is tagged.
    fn archive(times: &[&str]) -> tempfile::TempDir {
        let source = SourceDescription {
            engine: "sqlite".into(),
            engine_version: "3".into(),
            name: "app".into(),
            settings: Vec::new(),
        };
        let mut storage = Memory::default();
        for (place, time) in times.iter().enumerate() {
            let writer = if place == 0 {
                ArchiveWriter::create(&mut storage, WriterOptions::default())
            } else {
                let archive = Archive::from_storage(Arc::new(storage.bytes.clone())).unwrap();
                ArchiveWriter::append(&mut storage, Arc::new(archive), WriterOptions::default())
            };
            let header = SnapshotHeader {
                time: time.parse::<jiff::Timestamp>().unwrap().as_microsecond(),
                tags: if place == 0 { vec![("deploy".into(), "v1".into())] } else { Vec::new() },
                source: source.clone(),
                writer: "test".into(),
                omitted: Vec::new(),
            };
            writer.unwrap().begin_snapshot(header).unwrap().commit().unwrap();
        }
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("app.tabark"), storage.bytes).unwrap();
        folder
    }

    const TIMES: [&str; 4] =
        ["2026-03-01T12:00:00Z", "2026-03-02T10:00:00Z", "2026-03-02T12:00:00Z", "9000-01-01T00:00:00Z"];

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        args: PruneArgs,
    }

    /// How it ended, what it wrote, and what it wanted to keep when it rewrote the archive.
    fn ran(folder: &tempfile::TempDir, arguments: &[&str]) -> (Outcome, String, Option<Vec<u64>>) {
        let path = folder.path().join("app.tabark").display().to_string();
        let line = Line::try_parse_from(["prune", &path].iter().chain(arguments)).unwrap();
        let (mut out, mut kept) = (Vec::new(), None);
        let outcome = run_with(&line.args, &mut out, |plan| {
            kept = Some(plan.kept());
            Ok(rewrite::prune(&line.args.archive, &plan.kept(), WriterOptions::default(), &())?)
        });
        (outcome, String::from_utf8(out).unwrap(), kept)
    }

    #[test]
    fn a_dry_run_tells_every_reason_and_changes_nothing() {
        let folder = archive(&TIMES);
        let (outcome, out, kept) = ran(&folder, &["--keep-daily", "1", "--keep-tag", "deploy", "--dry-run"]);
        assert_eq!((outcome.unwrap(), kept), (Exit::Well, None));
        let expected = "\
keep 1 daily, all tagged deploy
#  time (UTC)            tags             reasons
1  2026-03-01T12:00:00Z  deploy=v1  keep  tag deploy
2  2026-03-02T10:00:00Z             drop
3  2026-03-02T12:00:00Z             keep  daily 2026-03-02
4  9000-01-01T00:00:00Z             keep  dated in the future
3 snapshots to keep, 1 to drop
nothing was changed (--dry-run)
";
        assert_eq!(out, expected);
    }

    #[test]
    fn many_reasons_go_on_below() {
        let folder = archive(&TIMES);
        let rules = ["--keep-last", "1", "--keep-hourly", "1", "--keep-weekly", "-1", "--keep-monthly", "unlimited"];
        let (_, out, _) = ran(&folder, &[rules.as_slice(), &["--dry-run"]].concat());
        assert!(out.contains("Z             keep  last 1, hourly 2026-03-02T12, weekly 2026-W10,\n"), "{out}");
        assert!(out.contains(&format!("\n{}monthly 2026-03\n", " ".repeat(42))), "{out}");
        assert!(out.lines().all(|line| line.chars().count() < 100), "{out}");
    }

    #[test]
    fn the_plan_is_told_and_done() {
        let folder = archive(&TIMES);
        let (outcome, out, kept) = ran(&folder, &["--keep-last", "2"]);
        assert_eq!((outcome.unwrap(), kept), (Exit::Well, Some(vec![2, 3, 4])));
        assert!(out.contains("3 snapshots to keep, 1 to drop\ndropped 1 snapshot: "), "{out}");
        assert!(out.lines().last().unwrap().starts_with("new root of snapshot 4: "), "{out}");
        let (outcome, out, kept) = ran(&folder, &["--keep-within", "1mo"]);
        assert_eq!((outcome.unwrap(), kept), (Exit::Well, None));
        assert!(out.ends_with("3 snapshots to keep, 0 to drop\nnothing was changed\n"), "{out}");
    }

    #[test]
    fn a_plan_as_json() {
        let folder = archive(&TIMES);
        let (_, out, kept) = ran(&folder, &["--keep-last", "1", "--keep-tag", "relase", "--dry-run", "--json"]);
        let object: Json = serde_json::from_str(&out).unwrap();
        assert_eq!((out.lines().count(), kept), (1, None));
        let snapshot = &object["snapshots"][2];
        assert_eq!((&snapshot["number"], &snapshot["keep"]), (&json!(3), &json!(true)));
        assert_eq!((&snapshot["reasons"], &snapshot["time"]), (&json!(["last 1"]), &json!(TIMES[2])));
        assert_eq!(object["snapshots"][0]["tags"], json!({ "deploy": "v1" }));
        assert_eq!((&object["kept"], &object["dropped"]), (&json!(2), &json!(2)));
        assert_eq!((&object["unmatched_tags"], &object["bytes_after"]), (&json!(["relase"]), &Json::Null));
        let (_, out, kept) = ran(&folder, &["--keep-last", "1", "--json"]);
        let object: Json = serde_json::from_str(&out).unwrap();
        assert_eq!((&object["dry_run"], kept), (&json!(false), Some(vec![3, 4])));
        assert!(object["bytes_after"].as_u64() < object["bytes_before"].as_u64(), "{object}");
        assert_eq!((object["rewritten"].as_array().unwrap().len(), &object["rewritten"][1]["number"]), (2, &json!(4)));
        let (_, out, kept) = ran(&folder, &["--keep-last", "1", "--json"]);
        let object: Json = serde_json::from_str(&out).unwrap();
        assert_eq!((&object["bytes_after"], kept), (&object["bytes_before"], None));
        assert_eq!(object["rewritten"], Json::Null);
    }

    #[test]
    fn what_says_nothing_or_too_much_is_a_wrong_command_line() {
        let folder = archive(&TIMES[..1]);
        for arguments in [&[][..], &["--keep-last", "0"]] {
            let (outcome, out, kept) = ran(&folder, arguments);
            assert!(matches!(outcome, Err(Failure::Usage(_))), "{arguments:?}");
            assert_eq!((out.as_str(), kept), ("", None));
        }
        for arguments in [["--keep-within", "6m"], ["--keep-within", "90"], ["--keep-last", "-2"], ["--keep-tag", ""]] {
            let line = ["prune", "app.tabark"].iter().chain(&arguments);
            assert!(Line::try_parse_from(line).is_err(), "{arguments:?}");
        }
    }

    #[test]
    fn a_damaged_archive_is_left_alone() {
        let folder = archive(&TIMES);
        let path = folder.path().join("app.tabark");
        let place = Archive::open(&path).unwrap().snapshots().unwrap()[0].manifest.offset + 110;
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[usize::try_from(place).unwrap()] ^= 1;
        std::fs::write(&path, &bytes).unwrap();
        let (outcome, _, kept) = ran(&folder, &["--keep-last", "1"]);
        assert_eq!((outcome.unwrap_err().exit(), kept), (Exit::Damaged, None));
    }
}
