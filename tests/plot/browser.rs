//! Pictures in a real browser: nothing is said on its console, nothing is fetched, pointer and keyboard work, nothing
//! sticks out or lies on something else. Leaves screenshots in the folder `SHAPLEY_SHOTS`, or in a temporary one.
//!
//! `.ci/pictures` runs it, and installs the browser if it is missing.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::common::masks::{mask_of, pseudo};
use crate::common::tables::table;
use base64::Engine;
use serde_json::{Value as Json, json};
use shapley::plot::{self, Text};
use shapley::{Index, Permutation, exact, from_fn, interactions};

/// A browser, spoken to through two pipes.
struct Browser {
    process: Child,
    to: File,
    from: BufReader<File>,
    session: String,
    asked: u64,
    /// What pages said on the console, and what they fetched.
    complaints: Vec<String>,
    fetched: Vec<String>,
}

impl Browser {
    fn start(folder: &Path) -> Self {
        let [to, from] = ["to", "from"].map(|name| folder.join(name));
        assert!(Command::new("mkfifo").args([&to, &from]).status().expect("mkfifo runs").success());
        let command = format!(
            "exec chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --user-data-dir='{}' \
             --remote-debugging-pipe 3<'{}' 4>'{}'",
            folder.join("profile").display(),
            to.display(),
            from.display()
        );
        let process = Command::new("sh").args(["-c", &command]).stderr(Stdio::null()).spawn().expect("a shell");
        let to = File::options().write(true).open(to).expect("the pipe to the browser");
        let from = BufReader::new(File::open(from).expect("the pipe from the browser"));
        let mut browser =
            Self { process, to, from, session: String::new(), asked: 0, complaints: Vec::new(), fetched: Vec::new() };
        let target = browser.ask("Target.createTarget", &json!({"url": "about:blank"}));
        let attached = browser.ask("Target.attachToTarget", &json!({"targetId": target["targetId"], "flatten": true}));
        browser.session = attached["sessionId"].as_str().expect("a session").to_owned();
        for domain in ["Page", "Runtime", "Log", "Network"] {
            browser.ask(&format!("{domain}.enable"), &json!({}));
        }
        browser
    }

    fn message(&mut self) -> Json {
        let mut bytes = Vec::new();
        self.from.read_until(0, &mut bytes).expect("the browser speaks");
        assert_eq!(bytes.pop(), Some(0), "the browser has ended");
        let message: Json = serde_json::from_slice(&bytes).expect("the browser speaks JSON");
        match message["method"].as_str() {
            Some("Runtime.exceptionThrown" | "Runtime.consoleAPICalled" | "Log.entryAdded") => {
                self.complaints.push(message["params"].to_string());
            }
            Some("Network.requestWillBeSent") => {
                self.fetched.push(message["params"]["request"]["url"].as_str().unwrap_or_default().to_owned());
            }
            _ => {}
        }
        message
    }

    fn ask(&mut self, method: &str, params: &Json) -> Json {
        self.asked += 1;
        let mut message = json!({"id": self.asked, "method": method, "params": params});
        if !self.session.is_empty() {
            message["sessionId"] = json!(self.session);
        }
        self.to.write_all(format!("{message}\0").as_bytes()).expect("the browser listens");
        loop {
            let answer = self.message();
            if answer["id"] == json!(self.asked) {
                assert!(answer["error"].is_null(), "{method}: {answer}");
                return answer["result"].clone();
            }
        }
    }

    fn open(&mut self, file: &Path, width: u32, height: u32, scheme: &str) {
        let feature = json!({"name": "prefers-color-scheme", "value": scheme});
        self.ask("Emulation.setEmulatedMedia", &json!({"features": [feature]}));
        let metrics = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600});
        self.ask("Emulation.setDeviceMetricsOverride", &metrics);
        self.fetched.clear();
        self.ask("Page.navigate", &json!({"url": format!("file://{}", file.display())}));
        while self.message()["method"] != json!("Page.loadEventFired") {}
        let elsewhere: Vec<&String> = self.fetched.iter().filter(|url| !url.starts_with("file://")).collect();
        assert!(elsewhere.is_empty() && self.fetched.len() == 1, "{} fetches {:?}", file.display(), self.fetched);
    }

    /// What a script in the page comes to.
    fn eval(&mut self, script: &str) -> Json {
        let answer = self.ask("Runtime.evaluate", &json!({"expression": script, "returnByValue": true}));
        assert!(answer["exceptionDetails"].is_null(), "{script}: {answer}");
        answer["result"]["value"].clone()
    }

    /// Moves the pointer to the middle of an element; with a button it is clicked.
    fn point(&mut self, selector: &str, click: bool) {
        let script = format!(
            "(() => {{ const box = document.querySelector({selector:?}).getBoundingClientRect(); \
             return [box.x + box.width / 2, box.y + box.height / 2] }})()"
        );
        let place = self.eval(&script);
        let kinds: &[&str] = if click { &["mouseMoved", "mousePressed", "mouseReleased"] } else { &["mouseMoved"] };
        for kind in kinds {
            let button = if *kind == "mouseMoved" { "none" } else { "left" };
            let event = json!({"type": kind, "x": place[0], "y": place[1], "button": button, "clickCount": 1});
            self.ask("Input.dispatchMouseEvent", &event);
        }
    }

    fn press(&mut self, key: &str, code: u32) {
        for kind in ["rawKeyDown", "keyUp"] {
            let event = json!({"type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code});
            self.ask("Input.dispatchKeyEvent", &event);
        }
    }

    fn screenshot(&mut self, file: &Path) {
        let shot = self.ask("Page.captureScreenshot", &json!({"captureBeyondViewport": true}));
        let bytes = base64::engine::general_purpose::STANDARD.decode(shot["data"].as_str().expect("a picture"));
        fs::write(file, bytes.expect("base64")).expect("the screenshot can be written");
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

const WORDS: [&str; 8] = ["not", "very", "good", "but", "the", "soundtrack", "is", "wonderful"];

/// Texts that lie on each other, stick out of the picture, or lie on a bar or a node without being meant to.
const CLASHES: &str = r"(() => {
  const svg = document.documentElement, [, , width, height] = svg.getAttribute('viewBox').split(' ').map(Number);
  const texts = [...svg.querySelectorAll('text')].map((text) => [text.lastChild.data, text.getBBox()]);
  const clashes = [];
  texts.forEach(([name, box], i) => {
    if (box.x < 0 || box.y < 0 || box.x + box.width > width || box.y + box.height > height) clashes.push(name + ' sticks out');
    texts.slice(0, i).forEach(([other, at]) => {
      const apart = box.x >= at.x + at.width || at.x >= box.x + box.width || box.y + 3 >= at.y + at.height || at.y + 3 >= box.y + box.height;
      if (!apart) clashes.push(name + ' lies on ' + other);
    });
  });
  const shapes = [...svg.querySelectorAll('path.p,path.n,circle.p,circle.n')].map((shape) => shape.getBBox());
  svg.querySelectorAll('text.i,text.m').forEach((text) => {
    const box = text.getBBox();
    for (const at of shapes) {
      const apart = box.x + 3 >= at.x + at.width || at.x + 3 >= box.x + box.width || box.y + 4 >= at.y + at.height || at.y + 4 >= box.y + box.height;
      if (!apart) clashes.push(text.lastChild.data + ' lies on a bar or node');
    }
  });
  return clashes;
})()";

fn shots() -> (Option<tempfile::TempDir>, PathBuf) {
    match std::env::var_os("SHAPLEY_SHOTS") {
        Some(folder) => {
            fs::create_dir_all(&folder).expect("the folder for screenshots can be made");
            (None, fs::canonicalize(folder).expect("the folder is there"))
        }
        None => {
            let folder = tempfile::tempdir().expect("a temporary folder");
            let path = folder.path().to_owned();
            (Some(folder), path)
        }
    }
}

#[test]
#[ignore = "needs chromium: .ci/pictures installs it and runs this"]
fn a_text_answers_to_pointer_and_keyboard() {
    let (_kept, shots) = shots();
    let work = tempfile::tempdir().unwrap();
    let phi = exact(&from_fn(8, |s| [pseudo(1, mask_of(s)), s.len() as f64])).unwrap();
    let pairs = interactions(&from_fn(8, |s| [pseudo(1, mask_of(s)), s.len() as f64]), Index::Shapley, 2).unwrap();
    let page =
        Text::new(&WORDS, &phi).interactions(&pairs).outputs(&["score", "length"]).title("A sentence").html().unwrap();
    let file = work.path().join("text.html");
    fs::write(&file, page).unwrap();

    let mut browser = Browser::start(work.path());
    for width in [1200, 400] {
        for scheme in ["light", "dark"] {
            browser.open(&file, width, 600, scheme);
            let wide = browser.eval("document.documentElement.scrollWidth");
            assert!(wide.as_f64().unwrap() <= f64::from(width), "{wide} pixels at a width of {width}");
            let ground = browser.eval("getComputedStyle(document.body).backgroundColor");
            assert_eq!(ground, if scheme == "dark" { "rgb(22, 23, 27)" } else { "rgb(255, 255, 255)" });

            // The pointer: the word says its number and its partners, and its part of the lanes lights up.
            let detail = "document.querySelector('.out0 .detail').textContent";
            let hint = browser.eval(detail);
            browser.point(".out0 .w[data-i='2']", false);
            let said = browser.eval(detail).as_str().unwrap().to_owned();
            assert!(said.starts_with("good: ") && said.contains("strongest with"), "{said}");
            assert_eq!(browser.eval("document.querySelectorAll('.out0 .seg.hot').length"), 1);
            assert_eq!(browser.eval("document.querySelectorAll('.out0 .plus,.out0 .minus').length"), 3);
            browser.screenshot(&shots.join(format!("text-{width}-{scheme}.png")));
            browser.point("h1", false);
            assert_eq!(browser.eval(detail), hint);

            // The keyboard: outputs, numbers, then the words as one stop with arrows.
            for _ in 0..3 {
                browser.press("Tab", 9);
            }
            assert!(browser.eval(detail).as_str().unwrap().starts_with("not: "));
            browser.press("ArrowRight", 39);
            assert!(browser.eval(detail).as_str().unwrap().starts_with("very: "));
            browser.press("End", 35);
            assert!(browser.eval(detail).as_str().unwrap().starts_with("wonderful: "));
            browser.press("Escape", 27);
            assert_eq!(browser.eval(detail), hint);

            // The switches.
            let numbers = "getComputedStyle(document.querySelector('.w small')).display";
            assert_eq!(browser.eval(numbers), "none");
            browser.point("[for=numbers]", true);
            assert_eq!(browser.eval(numbers), "block");
            browser.point("[for=o1]", true);
            let shown = "[...document.querySelectorAll('.out')].map((out) => getComputedStyle(out).display).join()";
            assert_eq!(browser.eval(shown), "none,block");
            browser.screenshot(&shots.join(format!("length-{width}-{scheme}.png")));
        }
    }
    assert!(browser.complaints.is_empty(), "{:?}", browser.complaints);
}

/// The outlines of partners that could be zero are thinner than those of the others.
#[cfg(feature = "surrogate")]
#[test]
#[ignore = "needs chromium: .ci/pictures installs it and runs this"]
fn partners_that_could_be_zero_are_fainter() {
    let (_kept, shots) = shots();
    let work = tempfile::tempdir().unwrap();
    let words: Vec<String> = (0..30).map(|k| format!("word-{k}")).collect();
    let file = work.path().join("text.html");
    let (phi, pairs) = crate::graphs::estimated(30);
    fs::write(&file, Text::new(&words, &phi).interactions(&pairs).html().unwrap()).unwrap();

    let mut browser = Browser::start(work.path());
    for scheme in ["light", "dark"] {
        browser.open(&file, 800, 600, scheme);
        let mut seen = [0; 2];
        for word in 0..30 {
            browser.point(&format!(".w[data-i='{word}']"), false);
            let outlines = browser.eval(
                "[...document.querySelectorAll('.plus,.minus')].map((word) => [word.classList.contains('faint'), \
                 word.classList.contains('minus') ? parseFloat(getComputedStyle(word).outlineWidth) : \
                 parseFloat(getComputedStyle(word).boxShadow.split('px ')[3])])",
            );
            let marks = browser.eval(&format!("document.querySelector(\".w[data-i='{word}']\").dataset.with"));
            let doubtful = marks.as_str().unwrap().matches('?').count();
            let outlines = outlines.as_array().unwrap();
            assert_eq!(outlines.iter().filter(|outline| outline[0] == json!(true)).count(), doubtful, "word {word}");
            for outline in outlines {
                let faint = outline[0] == json!(true);
                assert_eq!(outline[1].as_f64(), Some(if faint { 1.0 } else { 3.0 }), "word {word}: {outlines:?}");
                seen[usize::from(faint)] += 1;
            }
        }
        assert!(seen[0] >= 3 && seen[1] >= 3, "{seen:?}");
        browser.point(".w[data-i='0']", false);
        browser.screenshot(&shots.join(format!("partners-{scheme}.png")));
    }
    assert!(browser.complaints.is_empty(), "{:?}", browser.complaints);
}

#[test]
#[ignore = "needs chromium: .ci/pictures installs it and runs this"]
fn nothing_in_a_picture_lies_on_something_else() {
    let (_kept, shots) = shots();
    let work = tempfile::tempdir().unwrap();
    let mut browser = Browser::start(work.path());
    for players in [1, 2, 3, 8, 12, 30, 40, 300] {
        let long = |k: usize| {
            if k % 7 == 3 { format!("a measurement with quite a long name, number {k}") } else { format!("player {k}") }
        };
        let labels: Vec<String> = (0..players).map(long).collect();
        let game = from_fn(players, |s| s.iter().map(|i| (i as f64 - 3.0) / players as f64).sum::<f64>().tanh() * 10.0);
        let estimate = Permutation::new(60 * players as u64).seed(1).estimate(&game).unwrap();
        let mut pictures = vec![
            ("bar", plot::bar(&labels, &estimate).unwrap()),
            ("waterfall", plot::waterfall(&labels, &estimate).unwrap()),
            ("force", plot::force(&labels, &estimate).unwrap()),
            ("beeswarm", plot::beeswarm(&labels, [&estimate, &estimate], &vec![1.0; 2 * players]).unwrap()),
        ];
        if (2..=12).contains(&players) {
            let pairs = interactions(&table(players, |mask| pseudo(4, mask)), Index::Shapley, 2).unwrap();
            pictures.push(("network", plot::network(&labels, &pairs).unwrap()));
        }
        #[cfg(feature = "surrogate")]
        if (3..=40).contains(&players) {
            let picture = plot::network(&labels, &crate::graphs::estimated(players).1).unwrap();
            assert!(players < 12 || picture.contains("could be zero"), "{players} players have no faint pair");
            pictures.push(("estimated", picture));
        }
        for (name, picture) in pictures {
            let file = work.path().join("picture.svg");
            fs::write(&file, picture).unwrap();
            for scheme in ["light", "dark"] {
                browser.open(&file, 720, 640, scheme);
                let clashes = browser.eval(CLASHES);
                assert_eq!(clashes, json!([]), "{name} of {players}");
                browser.screenshot(&shots.join(format!("{name}-{players}-{scheme}.png")));
            }
        }
    }
    assert!(browser.complaints.is_empty(), "{:?}", browser.complaints);
}
