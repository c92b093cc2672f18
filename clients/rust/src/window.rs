//! The texts of a stream that are read and not yet handed out, in their order.

use std::collections::VecDeque;

use crate::error::SentimentError;
use crate::Outcome;

enum Slot {
    Open(String),
    Settled(Outcome),
}

#[derive(Default)]
pub(crate) struct Window {
    slots: VecDeque<Slot>,
    /// Number of the first slot's text, from 0.
    first: usize,
    open: usize,
    /// Numbers of the open texts that have to be sent, again or for the first time.
    unsent: VecDeque<usize>,
}

impl Window {
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    pub fn has_open(&self) -> bool {
        self.open > 0
    }

    pub fn has_unsent(&self) -> bool {
        !self.unsent.is_empty()
    }

    pub fn has_outcome(&self) -> bool {
        matches!(self.slots.front(), Some(Slot::Settled(_)))
    }

    pub fn push(&mut self, text: String) {
        self.unsent.push_back(self.first + self.slots.len());
        self.slots.push_back(Slot::Open(text));
        self.open += 1;
    }

    /// The next text to send, with its number.
    pub fn take_unsent(&mut self) -> Option<(usize, &str)> {
        let number = self.unsent.pop_front()?;
        match self.slots.get(number - self.first)? {
            Slot::Open(text) => Some((number, text)),
            Slot::Settled(_) => None,
        }
    }

    /// False where the text is not open: an answer that nobody waits for.
    pub fn settle(&mut self, number: usize, outcome: Outcome) -> bool {
        if !self.is_open(number) {
            return false;
        }
        self.slots[number - self.first] = Slot::Settled(outcome);
        self.open -= 1;
        true
    }

    /// One text has to be asked again, before those that have not been asked yet.
    pub fn ask_again(&mut self, number: usize) {
        if self.is_open(number) && !self.unsent.contains(&number) {
            self.unsent.push_front(number);
        }
    }

    /// The stream is gone: what it has not answered has to be asked on another.
    pub fn ask_all_again(&mut self) {
        self.unsent = (self.first..self.first + self.slots.len()).filter(|&number| self.is_open(number)).collect();
    }

    /// Of all open texts the largest is too large for a message whenever any is.
    pub fn settle_largest(&mut self, error: SentimentError) {
        let size = |slot: &Slot| if let Slot::Open(text) = slot { text.len() } else { 0 };
        let sizes = self.slots.iter().map(size).enumerate();
        if let Some((place, _)) = sizes.max_by_key(|&(_, size)| size) {
            self.settle(self.first + place, Err(error));
        }
    }

    /// The outcome whose turn it is.
    pub fn take_outcome(&mut self) -> Option<Outcome> {
        match self.slots.pop_front()? {
            Slot::Settled(outcome) => {
                self.first += 1;
                Some(outcome)
            }
            open @ Slot::Open(_) => {
                self.slots.push_front(open);
                None
            }
        }
    }

    fn is_open(&self, number: usize) -> bool {
        let place = number.checked_sub(self.first);
        matches!(place.and_then(|place| self.slots.get(place)), Some(Slot::Open(_)))
    }
}

#[cfg(test)]
mod tests {
    use tonic::Code;

    use super::{SentimentError, Window};
    use crate::Sentiment;

    fn window_of(texts: &[&str]) -> Window {
        let mut window = Window::default();
        for text in texts {
            window.push((*text).to_owned());
        }
        window
    }

    fn unsent(window: &mut Window) -> Vec<usize> {
        std::iter::from_fn(|| window.take_unsent().map(|(number, _)| number)).collect()
    }

    #[test]
    fn outcomes_come_in_order_and_once() {
        let mut window = window_of(&["a", "b"]);
        assert!(window.settle(1, Ok(Sentiment::default())));
        assert!(!window.settle(1, Ok(Sentiment::default())));
        assert!(window.take_outcome().is_none());
        assert!(window.settle(0, Ok(Sentiment::default())));
        assert!(window.take_outcome().is_some() && window.take_outcome().is_some());
        assert!(!window.settle(0, Ok(Sentiment::default())) && !window.has_open());
    }

    #[test]
    fn a_broken_stream_leaves_only_what_is_unanswered() {
        let mut window = window_of(&["a", "b", "c"]);
        assert_eq!(unsent(&mut window), [0, 1, 2]);
        window.settle(1, Ok(Sentiment::default()));
        window.ask_again(2);
        window.ask_all_again();
        assert_eq!(unsent(&mut window), [0, 2]);
    }

    #[test]
    fn the_largest_is_the_one_that_is_too_large() {
        let mut window = window_of(&["a", "larger", "b"]);
        window.settle_largest(SentimentError::new(Code::ResourceExhausted, "too large"));
        window.ask_all_again();
        assert_eq!(unsent(&mut window), [0, 2]);
    }
}
