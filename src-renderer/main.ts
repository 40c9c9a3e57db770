import { mount } from 'svelte';
import App from './App.svelte';
import { live } from './state/live.svelte.ts';
import './styles/fonts.css';
import './styles/tokens.css';
import './styles/base.css';

live.start();
mount(App, { target: document.body });
