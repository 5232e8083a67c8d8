//! A conversation in the order of a page that is built once: the whole thread, each reply below what it answers.

use std::collections::HashMap;

use crate::model::interaction::Shown;

/// Most replies that are exported: of more, the newest.
pub(crate) const MOST: usize = 2000;

/// Most bytes of their texts, and one reply more.
const BYTES: usize = 4 * 1024 * 1024;

/// Levels below the first; deeper answers are beside what they answer. Browsers give up nesting far below this.
const DEEPEST: usize = 8;

/// Orders replies that come in the order of time: each is followed by its answers, one level deeper. Of too many the
/// newest are kept.
pub(crate) fn laid_out(mut replies: Vec<Shown>) -> Vec<(Shown, usize)> {
    let kept = replies.split_off(replies.len() - newest(&replies));
    let places: HashMap<&str, usize> =
        kept.iter().enumerate().map(|(place, shown)| (shown.id.as_str(), place)).collect();
    let above = |shown: &Shown| shown.parent.as_deref().and_then(|parent| places.get(parent)).copied();
    let mut below: HashMap<Option<usize>, Vec<usize>> = HashMap::new();
    for (place, shown) in kept.iter().enumerate() {
        // What it answers comes before it; where it does not, there is no parent to follow.
        below.entry(above(shown).filter(|above| *above < place)).or_default().push(place);
    }
    let mut order = Vec::with_capacity(kept.len());
    let mut waiting: Vec<(usize, usize)> = Vec::new();
    let push = |waiting: &mut Vec<(usize, usize)>, places: Option<&Vec<usize>>, depth: usize| {
        waiting.extend(places.into_iter().flatten().rev().map(|place| (*place, depth)));
    };
    push(&mut waiting, below.get(&None), 0);
    while let Some((place, depth)) = waiting.pop() {
        order.push((place, depth));
        push(&mut waiting, below.get(&Some(place)), (depth + 1).min(DEEPEST));
    }
    let mut kept: Vec<Option<Shown>> = kept.into_iter().map(Some).collect();
    let take = |(place, depth): (usize, usize)| Some((kept.get_mut(place)?.take()?, depth));
    order.into_iter().filter_map(take).collect()
}

/// How many of the newest fit.
fn newest(replies: &[Shown]) -> usize {
    let mut bytes = 0;
    let fit = replies.iter().rev().take(MOST).take_while(|shown| {
        let before = bytes;
        bytes += shown.words.as_ref().map_or(0, |words| words.content.len());
        before < BYTES
    });
    fit.count()
}

#[cfg(test)]
mod tests {
    use clock::Timestamp;

    use super::*;
    use crate::activitypub::incoming::Audience;
    use crate::base::ids::{ArticleId, InteractionId, RemoteActorId};
    use crate::model::interaction::{Author, Kind, Person, State, Words};

    fn reply(number: usize, parent: Option<usize>) -> Shown {
        let id = |number: usize| format!("https://m.example/{number}");
        Shown {
            row: InteractionId(i64::try_from(number).expect("small")),
            article: ArticleId(1),
            id: id(number),
            parent: parent.map(id),
            kind: Kind::Reply,
            author: Person {
                row: Author::Remote(RemoteActorId(1)),
                id: String::new(),
                name: String::new(),
                handle: String::new(),
                url: String::new(),
                avatar: None,
                emoji: Vec::new(),
                ours: false,
            },
            state: State::Shown,
            words: Some(Words {
                audience: Audience::Public,
                title: None,
                warning: None,
                sensitive: false,
                content: "x".to_owned(),
                options: Vec::new(),
                language: None,
                url: id(number),
                mentions: Vec::new(),
                attachments: Vec::new(),
                emoji: Vec::new(),
                quotes: None,
            }),
            published: Timestamp::from_millis(0),
            updated: None,
        }
    }

    fn shape(replies: Vec<Shown>) -> Vec<(i64, usize)> {
        laid_out(replies).into_iter().map(|(shown, depth)| (shown.row.0, depth)).collect()
    }

    #[test]
    fn answers_stand_below_what_they_answer() {
        let all = [(0, None), (1, None), (2, Some(0)), (3, Some(1)), (4, Some(2)), (5, Some(0)), (6, Some(99))];
        let all = all.map(|(number, parent)| reply(number, parent)).to_vec();
        assert_eq!(shape(all), [(0, 0), (2, 1), (4, 2), (5, 1), (1, 0), (3, 1), (6, 0)]);
        assert_eq!(shape(Vec::new()), []);
    }

    #[test]
    fn nobody_is_lost_in_a_circle_or_in_the_deep() {
        assert_eq!(shape(vec![reply(0, Some(1)), reply(1, Some(0)), reply(2, Some(2))]), [(0, 0), (1, 1), (2, 0)]);
        let deep = shape((0..1500).map(|number| reply(number, number.checked_sub(1))).collect());
        assert_eq!((deep.len(), deep[7].1, deep[8].1, deep[1499]), (1500, 7, 8, (1499, 8)));
    }

    #[test]
    fn of_too_much_the_newest_stays() {
        let many: Vec<Shown> =
            (0..MOST + 5).map(|number| reply(number, (number % 2 == 1).then(|| number - 1))).collect();
        let laid = shape(many);
        assert_eq!((laid.len(), laid[0], laid[1]), (MOST, (5, 0), (6, 0)));
        let long = |number| {
            let mut shown = reply(number, None);
            shown.words.as_mut().expect("words").content = "x".repeat(BYTES / 2);
            shown
        };
        assert_eq!(shape((0..4).map(long).collect()), [(2, 0), (3, 0)]);
        let mut gone = reply(0, None);
        gone.words = None;
        let mut huge = long(1);
        huge.words.as_mut().expect("words").content = "x".repeat(2 * BYTES);
        assert_eq!(shape(vec![gone, huge]), [(1, 0)], "one always fits");
    }
}
