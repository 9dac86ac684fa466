//! The demo's database: the same rows every time.

use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, Transaction, params};
use tabark::Error;

const SCHEMA: &str = "\
CREATE TABLE users (
  id INTEGER PRIMARY KEY,
  email TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  created_at TEXT NOT NULL,
  updated_at TEXT
);
CREATE TABLE sessions (
  token TEXT PRIMARY KEY,
  user_id INTEGER NOT NULL REFERENCES users (id),
  started_at TEXT NOT NULL,
  expires_at TEXT NOT NULL -- 60 minutes later
) WITHOUT ROWID;
CREATE TABLE driver_profiles (
  id INTEGER PRIMARY KEY,
  user_id INTEGER NOT NULL REFERENCES users (id),
  callsign TEXT NOT NULL,
  rating REAL,
  distance_km REAL NOT NULL,
  photo BLOB
);
CREATE TABLE venue_catalog (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  city TEXT NOT NULL COLLATE NOCASE,
  latitude REAL NOT NULL,
  longitude REAL NOT NULL,
  capacity INTEGER
);
CREATE TABLE snapshots (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  venue_id INTEGER NOT NULL REFERENCES venue_catalog (id),
  taken_at TEXT NOT NULL,
  weather TEXT NOT NULL -- JSON
);
CREATE INDEX sessions_by_user ON sessions (user_id, started_at);
CREATE INDEX drivers_by_user ON driver_profiles (user_id);
CREATE INDEX venues_by_city ON venue_catalog (city, name);
CREATE INDEX snapshots_by_venue ON snapshots (venue_id, taken_at DESC);
CREATE TRIGGER users_updated AFTER UPDATE OF name, email ON users BEGIN
  UPDATE users SET updated_at = '2026-03-02T09:00:00Z' WHERE id = NEW.id;
END;
CREATE VIEW drivers AS SELECT u.name, d.callsign, d.rating FROM driver_profiles d JOIN users u ON u.id = d.user_id;
";

const USERS: i64 = 2000;
const SESSIONS: i64 = 4000;
const NEW_SESSIONS: i64 = 300;
const DRIVERS: i64 = 600;
const VENUES: i64 = 300;
const SNAPSHOTS: i64 = 3000;
const RENAMED: i64 = 40;

const FIRST: [&str; 8] = ["Ada", "Bo", "Chloé", "Dmitri", "Emeka", "Fatima", "Grace", "Hiro"];
const LAST: [&str; 8] = ["Lovelace", "Nguyen", "Okafor", "Petrov", "Quiroga", "Rossi", "Sato", "Zoë"];
const CITIES: [&str; 6] = ["Lisbon", "Kraków", "Osaka", "Lagos", "Bogotá", "Leeds"];
const SKIES: [&str; 4] = ["clear", "rain", "fog", "snow"];

/// A database that the demo fills and changes.
pub(super) struct Database {
    connection: Connection,
}

impl Database {
    /// Makes and fills it.
    pub(super) fn create(path: &Path) -> Result<Self, Error> {
        let mut connection = Connection::open(path).map_err(failed)?;
        fill(&mut connection).map_err(failed)?;
        Ok(Self { connection })
    }

    /// Changes some rows; says which.
    pub(super) fn change(&self) -> Result<String, Error> {
        change(&self.connection).map_err(failed)?;
        Ok(format!("{RENAMED} users get other names, {NEW_SESSIONS} sessions begin, a venue closes"))
    }
}

fn failed(cause: rusqlite::Error) -> Error {
    Error::database(format!("making the demo's database: {cause}")).with_cause(cause)
}

fn fill(connection: &mut Connection) -> rusqlite::Result<()> {
    connection.execute_batch(SCHEMA)?;
    let mut numbers = Numbers(2026);
    let all = connection.transaction()?;
    users(&all, &mut numbers)?;
    sessions(&all, &mut numbers, 0, SESSIONS)?;
    drivers(&all, &mut numbers)?;
    venues(&all, &mut numbers)?;
    snapshots(&all, &mut numbers)?;
    all.commit()
}

fn users(to: &Transaction<'_>, numbers: &mut Numbers) -> rusqlite::Result<()> {
    let mut insert = to.prepare("INSERT INTO users (id, email, name, created_at) VALUES (?, ?, ?, ?)")?;
    for id in 1..=USERS {
        let (first, last) = (numbers.one_of(&FIRST), numbers.one_of(&LAST));
        insert.execute(params![id, format!("user{id}@example.org"), format!("{first} {last}"), time(id * 1931)])?;
    }
    Ok(())
}

fn sessions(to: &Connection, numbers: &mut Numbers, from: i64, count: i64) -> rusqlite::Result<()> {
    let mut insert = to.prepare("INSERT INTO sessions (token, user_id, started_at, expires_at) VALUES (?, ?, ?, ?)")?;
    for number in from..from + count {
        let start = 4_000_000 + number * 97;
        let token = format!("{:016x}{:016x}", numbers.next(), numbers.next());
        insert.execute(params![token, 1 + numbers.below(USERS), time(start), time(start + 3600)])?;
    }
    Ok(())
}

fn drivers(to: &Transaction<'_>, numbers: &mut Numbers) -> rusqlite::Result<()> {
    let mut insert = to.prepare("INSERT INTO driver_profiles VALUES (?, ?, ?, ?, ?, ?)")?;
    for id in 1..=DRIVERS {
        let callsign = format!("{}-{:03}", numbers.one_of(&LAST), numbers.below(1000));
        let rating = (numbers.below(10) > 0).then(|| tenths(10 + numbers.below(41)));
        let photo: Vec<u8> = (0..8).flat_map(|_| numbers.next().to_le_bytes()).collect();
        insert.execute(params![id, id * 3, callsign, rating, tenths(numbers.below(2_000_000)), photo])?;
    }
    Ok(())
}

fn venues(to: &Transaction<'_>, numbers: &mut Numbers) -> rusqlite::Result<()> {
    let mut insert = to.prepare("INSERT INTO venue_catalog VALUES (?, ?, ?, ?, ?, ?)")?;
    for id in 1..=VENUES {
        let city = numbers.one_of(&CITIES);
        let name = format!("{city} Arena {id}");
        let (latitude, longitude) = (tenths(numbers.below(1800) - 900), tenths(numbers.below(3600) - 1800));
        let capacity = (id % 7 > 0).then(|| 50 * (1 + numbers.below(800)));
        insert.execute(params![id, name, city, latitude, longitude, capacity])?;
    }
    Ok(())
}

fn snapshots(to: &Transaction<'_>, numbers: &mut Numbers) -> rusqlite::Result<()> {
    let mut insert = to.prepare("INSERT INTO snapshots (venue_id, taken_at, weather) VALUES (?, ?, ?)")?;
    for number in 0..SNAPSHOTS {
        let sky = numbers.one_of(&SKIES);
        let (celsius, humidity) = (tenths(numbers.below(500) - 100), 20 + numbers.below(80));
        let weather = format!(r#"{{"sky":"{sky}","celsius":{celsius:.1},"humidity":{humidity}}}"#);
        insert.execute(params![1 + numbers.below(VENUES), time(4_000_000 + number * 600), weather])?;
    }
    Ok(())
}

fn change(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch("BEGIN")?;
    connection.execute("UPDATE users SET name = name || ' Jr.' WHERE id % ?1 = 7", params![USERS / RENAMED])?;
    sessions(connection, &mut Numbers(1), SESSIONS, NEW_SESSIONS)?;
    connection.execute("UPDATE venue_catalog SET capacity = 0 WHERE id = 13", [])?;
    connection.execute_batch("COMMIT")
}

/// So many seconds after the beginning of 2026.
fn time(seconds: i64) -> String {
    let beginning = Timestamp::constant(1_767_225_600, 0);
    beginning.saturating_add(SignedDuration::from_secs(seconds)).unwrap_or(beginning).to_string()
}

fn tenths(number: i64) -> f64 {
    // Far below 2^31, where every integer has its f64.
    i32::try_from(number).map_or(0.0, f64::from) / 10.0
}

/// Numbers that look random and are the same every time (splitmix64).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From 0 to one less than the limit, which is above 0.
    fn below(&mut self, limit: i64) -> i64 {
        i64::try_from(self.next() >> 1).unwrap_or(0) % limit.max(1)
    }

    fn one_of<'a>(&mut self, texts: &[&'a str]) -> &'a str {
        let place = self.below(i64::try_from(texts.len()).unwrap_or(1));
        usize::try_from(place).ok().and_then(|place| texts.get(place)).copied().unwrap_or_default()
    }
}
