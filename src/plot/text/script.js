for (const out of document.querySelectorAll('.out')) {
  const words = [...out.querySelectorAll('.w')];
  const detail = out.querySelector('.detail');
  const hint = detail.textContent;
  const show = (word) => {
    for (const part of out.querySelectorAll('.hot,.plus,.minus')) part.classList.remove('hot', 'plus', 'minus', 'faint');
    out.classList.toggle('on', Boolean(word));
    detail.textContent = word ? word.dataset.say : hint;
    if (!word) return;
    for (const part of out.querySelectorAll('[data-i="' + word.dataset.i + '"]')) part.classList.add('hot');
    for (const pair of (word.dataset.with || '').split(' ').filter(Boolean)) {
      const { classList } = words[parseInt(pair, 10)];
      classList.add(pair.includes('-') ? 'minus' : 'plus');
      classList.toggle('faint', pair.endsWith('?'));
    }
  };
  const focused = () => words.find((word) => word === document.activeElement);
  const go = (word) => {
    for (const other of words) other.tabIndex = other === word ? 0 : -1;
    word.focus();
  };
  for (const part of out.querySelectorAll('[data-i]')) {
    const word = words[Number(part.dataset.i)];
    part.addEventListener('pointerenter', () => show(word));
    part.addEventListener('pointerleave', () => show(focused()));
    part.addEventListener('click', () => go(word));
  }
  words.forEach((word, place) => {
    word.addEventListener('focus', () => show(word));
    word.addEventListener('blur', () => show(undefined));
    word.addEventListener('keydown', (event) => {
      const backwards = getComputedStyle(word.parentElement).direction === 'rtl';
      const steps = { ArrowRight: backwards ? -1 : 1, ArrowLeft: backwards ? 1 : -1, ArrowDown: 1, ArrowUp: -1 };
      const next = { Home: 0, End: words.length - 1 }[event.key] ?? place + (steps[event.key] ?? 0);
      if (event.key === 'Escape') word.blur();
      if (next === place || !words[next]) return;
      event.preventDefault();
      go(words[next]);
    });
  });
}
