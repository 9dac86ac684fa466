//! What connections work on side by side: tasks in their order, but for those that wait for others.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::steps::Statement;
use crate::source::postgres::rows::Order;

/// Something that one connection does from its beginning to its end.
pub(super) enum Task<'s> {
    /// Rows of a table: all, or every row group that falls to this part of so many.
    Load { name: &'s str, part: usize, parts: usize },
    /// Reading a table back: in the order in which it lies, which is that of its key if one connection wrote it, else by the key,
    /// over so many connections.
    Prove { name: &'s str, order: Order, connections: usize },
    /// Reading all partitions of a table back that their rows were sent to.
    ProveTogether { root: &'s str },
    /// The keys of one table, one after the other. Nobody can read it meanwhile.
    MakeKeys { name: &'s str, statements: Vec<&'s Statement> },
    /// Something that is made of a table that has its keys.
    Make(&'s Statement),
    /// Statements, one after the other, when all keys and every [`Task::Make`] are done.
    MakeLast(Vec<&'s Statement>),
}

/// Tasks that several threads take.
pub(super) struct Tasks<'s> {
    state: Mutex<State<'s>>,
    changed: Condvar,
}

struct State<'s> {
    waiting: VecDeque<Task<'s>>,
    /// How many [`Task::Make`] are waiting or being worked on.
    unmade: usize,
    /// Tables of which the keys are.
    without_keys: Vec<&'s str>,
}

impl State<'_> {
    fn is_ready(&self, task: &Task<'_>) -> bool {
        match task {
            Task::Load { .. } | Task::MakeKeys { .. } => true,
            Task::Prove { name, .. } => !self.without_keys.contains(name),
            Task::Make(statement) => !self.without_keys.contains(&statement.table.as_str()),
            Task::ProveTogether { .. } => self.without_keys.is_empty(),
            Task::MakeLast(_) => self.unmade == 0 && self.without_keys.is_empty(),
        }
    }
}

/// A task that was taken. It counts as done when this is dropped.
pub(super) struct Taken<'t, 's> {
    pub(super) task: Task<'s>,
    from: &'t Tasks<'s>,
}

impl<'s> Tasks<'s> {
    pub(super) fn new(tasks: Vec<Task<'s>>) -> Self {
        let unmade = tasks.iter().filter(|task| matches!(task, Task::Make(_))).count();
        let keys_of = |task: &Task<'s>| match task {
            Task::MakeKeys { name, .. } => Some(*name),
            _ => None,
        };
        let without_keys = tasks.iter().filter_map(keys_of).collect();
        Self { state: Mutex::new(State { waiting: tasks.into(), unmade, without_keys }), changed: Condvar::new() }
    }

    /// The next task, as soon as one can be begun; `None` when all were taken.
    pub(super) fn take(&self) -> Option<Taken<'_, 's>> {
        let mut state = self.state();
        loop {
            let ready = state.waiting.iter().position(|task| state.is_ready(task));
            if let Some(task) = ready.and_then(|place| state.waiting.remove(place)) {
                return Some(Taken { task, from: self });
            }
            if state.waiting.is_empty() {
                return None;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Forgets what nobody has begun.
    pub(super) fn give_up(&self) {
        self.state().waiting.clear();
        self.changed.notify_all();
    }

    /// What a thread that panicked left is as whole as any other state.
    fn state(&self) -> MutexGuard<'_, State<'s>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Taken<'_, '_> {
    fn drop(&mut self) {
        let mut state = self.from.state();
        match &self.task {
            Task::Make(_) => state.unmade = state.unmade.saturating_sub(1),
            Task::MakeKeys { name, .. } => state.without_keys.retain(|table| table != name),
            _ => return,
        }
        self.from.changed.notify_all();
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::thread;

    use super::*;

    fn load(name: &str) -> Task<'_> {
        Task::Load { name, part: 0, parts: 1 }
    }

    fn is_last(taken: &Taken<'_, '_>) -> bool {
        matches!(taken.task, Task::MakeLast(_))
    }

    fn index(table: &str) -> Statement {
        Statement { table: table.into(), ..Statement::new("index", "i", "CREATE INDEX") }
    }

    fn keys(name: &str) -> Task<'_> {
        Task::MakeKeys { name, statements: vec![] }
    }

    fn proof(name: &str) -> Task<'_> {
        Task::Prove { name, order: Order::Key, connections: 1 }
    }

    #[test]
    fn what_waits_for_others_is_taken_when_they_are_done() {
        let index = index("t");
        let tasks = Tasks::new(vec![Task::Make(&index), Task::MakeLast(vec![]), Task::Make(&index), load("t")]);
        let (first, second) = (tasks.take().unwrap(), tasks.take().unwrap());
        assert!(!is_last(&first) && !is_last(&second));
        assert!(matches!(tasks.take().unwrap().task, Task::Load { name: "t", .. }));
        drop(first);
        thread::scope(|scope| {
            let last = scope.spawn(|| is_last(&tasks.take().unwrap()));
            drop(second);
            assert!(last.join().unwrap());
        });
        assert!(tasks.take().is_none());
    }

    #[test]
    fn a_table_without_its_keys_is_left_alone() {
        let (of_large, of_small) = (index("large"), index("small"));
        let all = vec![
            keys("large"),
            keys("small"),
            proof("large"),
            Task::Make(&of_large),
            Task::Make(&of_small),
            Task::MakeLast(vec![]),
            Task::ProveTogether { root: "root" },
            proof("small"),
            proof("keyless"),
        ];
        let tasks = Tasks::new(all);
        let (large, small) = (tasks.take().unwrap(), tasks.take().unwrap());
        assert!(matches!(tasks.take().unwrap().task, Task::Prove { name: "keyless", .. }));
        drop(small);
        let made = tasks.take().unwrap();
        assert!(matches!(made.task, Task::Make(statement) if statement.table == "small"));
        assert!(matches!(tasks.take().unwrap().task, Task::Prove { name: "small", .. }));
        drop(large);
        assert!(matches!(tasks.take().unwrap().task, Task::Prove { name: "large", .. }));
        let last_made = tasks.take().unwrap();
        assert!(matches!(last_made.task, Task::Make(statement) if statement.table == "large"));
        assert!(matches!(tasks.take().unwrap().task, Task::ProveTogether { .. }));
        drop((made, last_made));
        assert!(is_last(&tasks.take().unwrap()));
        assert!(tasks.take().is_none());
    }

    #[test]
    fn nobody_waits_for_what_was_given_up() {
        let index = index("t");
        let tasks = Tasks::new(vec![Task::Make(&index), Task::MakeLast(vec![])]);
        let _begun = tasks.take().unwrap();
        thread::scope(|scope| {
            let waiting = scope.spawn(|| tasks.take().is_none());
            tasks.give_up();
            assert!(waiting.join().unwrap());
        });
    }
}
