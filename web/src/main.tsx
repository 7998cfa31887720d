import './styles/base.css'
import './styles/parts.css'
import './styles/pages.css'
import './theme.js'
import { render } from 'preact'
import { Root } from './app.js'
import { httpClient } from './client.js'

render(<Root client={httpClient()} />, document.getElementById('app')!)
