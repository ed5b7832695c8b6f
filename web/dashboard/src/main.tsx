import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app/App';
import { routeOf } from './app/routes';
import { applyTheme } from './app/theme';
import './styles/tokens.css';
import './styles/base.css';

applyTheme();
// Beside the question who is there: who may not see it is shown another, and who could not load it is told so then.
routeOf(location.pathname)
  ?.load()
  .catch(() => {});

const root = document.getElementById('root');
if (root) {
  createRoot(root).render(
    <StrictMode>
      <App />
    </StrictMode>,
  );
}
