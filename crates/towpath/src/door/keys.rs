//! The whole terminal as a screen, and the keys that are pressed on it.
#![allow(clippy::disallowed_methods, reason = "this is the door to the terminal")]

use crate::failure::{Failure, Kind};
use crate::view::top::Key;
use crossterm::event::{self, Event, KeyCode, KeyEventKind, KeyModifiers};
use ratatui::{DefaultTerminal, Frame};
use std::io;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use towpath_model::sealed::Sealed;

/// The screen. It is given back when this is dropped, and also when we panic.
pub(crate) struct Screen {
    terminal: DefaultTerminal,
}

/// Something that a person did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pressed {
    /// Enough.
    Leave,
    /// A key that means something.
    Key(Key),
    /// The window has another size.
    Redraw,
}

impl Screen {
    /// Takes the screen.
    pub(crate) fn open() -> Result<Self, Failure> {
        let terminal = ratatui::try_init().map_err(|error| refused(&error))?;
        Ok(Screen { terminal })
    }

    /// Draws on it.
    pub(crate) fn draw(&mut self, draw: impl FnOnce(&mut Frame<'_>)) -> Result<(), Failure> {
        self.terminal
            .draw(draw)
            .map(|_| ())
            .map_err(|error| refused(&error))
    }

    /// What is pressed from now on. Reading keys waits, so it has a thread of its own, which ends with us.
    pub(crate) fn keys(&self) -> UnboundedReceiver<Pressed> {
        let (heard, pressed) = unbounded_channel();
        std::thread::spawn(move || {
            while let Ok(event) = event::read() {
                let Some(pressed) = meaning(&event) else { continue };
                if heard.send(pressed).is_err() {
                    return;
                }
            }
        });
        pressed
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        ratatui::restore();
    }
}

/// A line that is typed without being shown; nothing where whoever types gives up. The keys come one by one meanwhile: Ctrl-C
/// would otherwise end us with a terminal that shows nothing any more.
pub(crate) fn typed_unseen() -> Result<Option<Sealed<String>>, Failure> {
    let _raw = Raw::begin()?;
    let mut typed = String::new();
    loop {
        let event = event::read().map_err(|error| unheard(&error))?;
        let Event::Key(key) = event else { continue };
        if key.kind == KeyEventKind::Release {
            continue;
        }
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Enter => return Ok(Some(Sealed::new(typed))),
            KeyCode::Char('j' | 'm') if control => return Ok(Some(Sealed::new(typed))),
            KeyCode::Char('c' | 'd') if control => return Ok(None),
            KeyCode::Char('u') if control => typed.clear(),
            KeyCode::Backspace => drop(typed.pop()),
            KeyCode::Char(letter) if !control => typed.push(letter),
            KeyCode::Tab => typed.push('\t'),
            _ => {}
        }
    }
}

/// Keys come as they are pressed, until this is dropped.
struct Raw;

impl Raw {
    fn begin() -> Result<Self, Failure> {
        crossterm::terminal::enable_raw_mode().map_err(|error| unheard(&error))?;
        Ok(Raw)
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        // A terminal that has gone needs nothing any more.
        let _ = crossterm::terminal::disable_raw_mode();
    }
}

fn unheard(error: &io::Error) -> Failure {
    Failure::new(Kind::Remote, format!("the keyboard cannot be read: {error}"))
}

fn meaning(event: &Event) -> Option<Pressed> {
    match event {
        Event::Resize(..) => Some(Pressed::Redraw),
        Event::Key(key) if key.kind != KeyEventKind::Release => {
            let control = key.modifiers.contains(KeyModifiers::CONTROL);
            match key.code {
                KeyCode::Char('c') if control => Some(Pressed::Leave),
                KeyCode::Char('q') | KeyCode::Esc => Some(Pressed::Leave),
                code => letter(code).map(Pressed::Key),
            }
        }
        _ => None,
    }
}

/// What a key means; letters are there for those who leave their hands where they are.
fn letter(code: KeyCode) -> Option<Key> {
    match code {
        KeyCode::Left | KeyCode::Char('h') => Some(Key::Left),
        KeyCode::Right | KeyCode::Char('l') => Some(Key::Right),
        KeyCode::Up | KeyCode::Char('k') => Some(Key::Up),
        KeyCode::Down | KeyCode::Char('j') => Some(Key::Down),
        KeyCode::Char('r') => Some(Key::Reverse),
        _ => None,
    }
}

fn refused(error: &io::Error) -> Failure {
    Failure::new(Kind::Remote, format!("the terminal cannot be drawn on: {error}"))
}
