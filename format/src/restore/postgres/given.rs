//! Owners and privileges: which roles things are given to, and whether they can be here.

use super::target::Target;
use crate::model::SchemaObject;
use crate::postgres::tokens::{Kind, tokens};

/// Why an owner or privilege cannot be given here.
pub(super) fn cannot_give(object: &SchemaObject, target: &Target) -> Option<String> {
    let roles = roles_of(object);
    if let Some(missing) = roles.iter().find(|role| !target.roles.contains(*role) && *role != "public") {
        return Some(format!("there is no role \"{missing}\""));
    }
    let owner = roles.first().filter(|_| object.kind == "owner")?;
    (!target.givable.contains(owner)).then(|| format!("things may not be given to \"{owner}\" here"))
}

/// The roles that a definition gives something to: what stands behind `TO` or `FROM` at its end, or behind `OWNER TO`.
fn roles_of(object: &SchemaObject) -> Vec<String> {
    let Some(all) = tokens(&object.definition) else { return Vec::new() };
    let solid: Vec<_> = all.iter().filter(|token| token.kind != Kind::Blank).collect();
    let is_word = |text: &str, word: &str| text.eq_ignore_ascii_case(word);
    let Some(place) = solid
        .iter()
        .rposition(|token| token.kind == Kind::Word && (is_word(token.text, "to") || is_word(token.text, "from")))
    else {
        return Vec::new();
    };
    let mut roles = Vec::new();
    for token in solid.iter().skip(place + 1) {
        if token.kind == Kind::Word && is_word(token.text, "with") {
            break;
        }
        roles.extend(token.name());
    }
    roles
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_stand_at_the_end() {
        let roles = |definition: &str| {
            roles_of(&SchemaObject {
                kind: "privileges".into(),
                name: "x".into(),
                table: "x".into(),
                definition: definition.into(),
                position: 0,
            })
        };
        assert_eq!(roles("GRANT SELECT ON TABLE public.x TO \"App User\" WITH GRANT OPTION"), ["App User"]);
        assert_eq!(roles("REVOKE ALL ON TABLE public.x FROM PUBLIC"), ["public"]);
        assert_eq!(roles("ALTER TABLE public.x OWNER TO app"), ["app"]);
    }
}
