//! What stands in the end, for activities in every order that can be told from others.

use proptest::prelude::*;

use super::*;

fn heard(id: &str, first: i64, last: i64) -> Event {
    Event { id: id.to_owned(), made: None, first, last }
}

fn at(id: &str, made: i64, heard: i64) -> Event {
    Event { id: id.to_owned(), made: Some(Timestamp::from_millis(made)), first: heard, last: heard }
}

fn follows(relations: &Relations) -> bool {
    relations.stands(Kind::Follow, "")
}

#[test]
fn an_undo_of_either_of_two_follows_ends_both_u12() {
    for named in ["one", "two", "neither"] {
        let mut ann = Relations::default();
        assert_eq!(ann.begin(Kind::Follow, "", &heard("one", 1, 1), &[]), Begun::Now);
        assert_eq!(ann.begin(Kind::Follow, "", &heard("two", 2, 2), &[]), Begun::Now);
        ann.end(Kind::Follow, None, &heard(named, 3, 3));
        assert!(!follows(&ann), "{named}");
    }
}

#[test]
fn one_id_for_ever_follows_as_often_as_it_is_undone_case_92() {
    let mut pix = Relations::default();
    for round in 0..5 {
        let now = 10 * round;
        let begun = pix.begin(Kind::Follow, "", &heard("f", 1, now + 1), &[heard("u", 2, now.max(2))]);
        assert_eq!(begun, Begun::Now, "{round}");
        // The same once more changes nothing.
        assert_eq!(pix.begin(Kind::Follow, "", &heard("f", 1, now + 2), &[]), Begun::Before);
        assert!(follows(&pix));
        pix.end(Kind::Follow, None, &heard("u", 2, now + 3));
        assert!(!follows(&pix), "{round}");
        pix.end(Kind::Follow, None, &heard("u", 2, now + 4));
    }
}

#[test]
fn what_comes_again_of_a_server_with_an_id_for_each_is_old() {
    let mut ann = Relations::default();
    ann.begin(Kind::Follow, "", &heard("f1", 1, 1), &[]);
    ann.end(Kind::Follow, None, &heard("u1", 2, 2));
    ann.begin(Kind::Follow, "", &heard("f2", 3, 3), &[]);
    ann.end(Kind::Follow, None, &heard("u1", 2, 4));
    assert!(follows(&ann), "the first Undo again ends nothing that began after it");
    ann.end(Kind::Follow, None, &heard("u2", 5, 5));
    assert_eq!(ann.begin(Kind::Follow, "", &heard("f1", 1, 6), &[heard("u1", 2, 4)]), Begun::Before);
    assert!(!follows(&ann), "the first Follow again is not a third");
}

#[test]
fn an_undo_may_come_first_and_the_late_one_counts_for_nothing_t9() {
    let mut ann = Relations::default();
    let undo = heard("u", 1, 1);
    assert_eq!(ann.begin(Kind::Follow, "", &heard("f", 2, 2), std::slice::from_ref(&undo)), Begun::Undone);
    assert_eq!(ann.begin(Kind::Follow, "", &heard("f", 2, 3), std::slice::from_ref(&undo)), Begun::Before);
    assert!(!follows(&ann));
    assert_eq!(ann.begin(Kind::Follow, "", &heard("g", 4, 4), &[]), Begun::Now);

    // It ends what was there when it came, and nothing that came after it.
    for (other, stands) in [(1, false), (3, true)] {
        let mut ann = Relations::default();
        ann.begin(Kind::Follow, "", &heard("other", other, other), &[]);
        assert_eq!(ann.begin(Kind::Follow, "", &heard("f", 4, 4), &[heard("u", 2, 2)]), Begun::Undone);
        assert_eq!(follows(&ann), stands);
    }
}

#[test]
fn a_follow_ends_a_block_and_a_block_a_follow_case_63() {
    let mut flip = Relations::default();
    flip.begin(Kind::Block, "", &heard("b", 1, 1), &[]);
    flip.begin(Kind::Follow, "", &heard("f", 2, 2), &[]);
    flip.end(Kind::Block, None, &heard("u", 3, 3));
    assert!(follows(&flip) && !flip.stands(Kind::Block, ""));
    flip.begin(Kind::Block, "", &heard("c", 4, 4), &[]);
    assert!(!follows(&flip) && flip.stands(Kind::Block, ""));
}

#[test]
fn a_vote_is_up_or_down_and_signs_are_one_each() {
    let mut ann = Relations::default();
    for (sign, number) in [("", 1), ("🦀", 2), ("⛴", 3)] {
        ann.begin(Kind::Like, sign, &heard(sign, number, number), &[]);
    }
    ann.end(Kind::Like, Some("🦀"), &heard("u", 4, 4));
    assert!(ann.stands(Kind::Like, "") && !ann.stands(Kind::Like, "🦀") && ann.stands(Kind::Like, "⛴"));
    ann.begin(Kind::Dislike, "", &heard("d", 5, 5), &[]);
    assert!(["", "🦀", "⛴"].iter().all(|sign| !ann.stands(Kind::Like, sign)) && ann.stands(Kind::Dislike, ""));
    ann.begin(Kind::Like, "🦀", &heard("l", 6, 6), &[]);
    assert!(ann.stands(Kind::Like, "🦀") && !ann.stands(Kind::Dislike, ""));
}

#[test]
fn nobody_keeps_more_than_so_many_signs() {
    let mut ann = Relations::default();
    for number in 1..1000 {
        let begun = ann.begin(Kind::Like, &format!(":{number}:"), &heard(&number.to_string(), number, number), &[]);
        assert_eq!(begun == Begun::TooMany, usize::try_from(number).expect("a small number") > SIGNS_MAX, "{number}");
    }
    assert_eq!(ann.cells.len(), SIGNS_MAX);
    // What has ended makes room.
    ann.end(Kind::Like, Some(":7:"), &heard("u", 2000, 2000));
    assert_eq!(ann.begin(Kind::Like, ":new:", &heard("n", 2001, 2001), &[]), Begun::Now);
    assert_eq!(ann.begin(Kind::Like, ":newer:", &heard("m", 2002, 2002), &[]), Begun::TooMany);
    for number in 0..1000 {
        ann.end(Kind::Like, Some(&format!(":{number}:")), &heard("v", 3000 + number, 3000 + number));
        ann.end(Kind::Like, None, &heard("w", 3000 + number, 3000 + number));
    }
    assert!(ann.cells.len() <= SIGNS_MAX);
}

/// One of the things that somebody does: begin with a sign, or end by a kind and sign, or all.
#[derive(Clone, Debug)]
enum Deed {
    Begin(Kind, &'static str),
    End(Kind, Option<&'static str>),
}

fn deed() -> impl Strategy<Value = Deed> {
    let sign = prop_oneof![Just(""), Just("🦀"), Just("⛴")];
    prop_oneof![
        sign.clone().prop_map(|sign| Deed::Begin(Kind::Like, sign)),
        Just(Deed::Begin(Kind::Dislike, "")),
        Just(Deed::Begin(Kind::Follow, "")),
        Just(Deed::Begin(Kind::Block, "")),
        sign.prop_map(|sign| Deed::End(Kind::Like, Some(sign))),
        Just(Deed::End(Kind::Like, None)),
        Just(Deed::End(Kind::Dislike, None)),
        Just(Deed::End(Kind::Follow, None)),
        Just(Deed::End(Kind::Block, None)),
    ]
}

proptest! {
    /// What tells when it was made may come in any order, and however often.
    #[test]
    fn the_order_in_which_things_were_made_counts(
        deeds in proptest::collection::vec(deed(), 1..12),
        order in proptest::collection::vec(any::<u32>(), 12),
        again in proptest::collection::vec(0..12_usize, 0..4),
    ) {
        let stood = |places: &[usize]| {
            let (mut relations, mut arrivals) = (Relations::default(), BTreeMap::new());
            for (heard, place) in places.iter().enumerate() {
                // What says the same moment again keeps the number of its first arrival.
                let first = *arrivals.entry(*place).or_insert(i64::try_from(heard).expect("few"));
                let event = at(&place.to_string(), i64::try_from(*place).expect("few"), first);
                match &deeds[*place] {
                    Deed::Begin(kind, sign) => { relations.begin(*kind, sign, &event, &[]); }
                    Deed::End(kind, sign) => relations.end(*kind, *sign, &event),
                }
            }
            let stands = |slot: &&(Kind, String)| relations.stands(slot.0, &slot.1);
            relations.cells.keys().filter(stands).cloned().collect::<Vec<_>>()
        };
        let natural: Vec<usize> = (0..deeds.len()).collect();
        let mut other = natural.clone();
        other.sort_by_key(|place| order[*place]);
        other.extend(again.iter().filter(|place| **place < deeds.len()));
        prop_assert_eq!(stood(&natural), stood(&other));
    }
}
